import LatheFiles
import CTurboJPEG
import SystemPackage

/// Decodes one JPEG by libjpeg-turbo's TurboJPEG functions, which return their errors.
///
/// One for each picture: after an error, version 2.1 carries over what it had read into the next
/// picture.
struct JPEGDecoder: ~Copyable {
  /// The maximum number of scans, and of scans times pixels: each scan of a progressive picture
  /// visits all its pixels, however few bytes it has.
  static let maximumScans = 500
  static let maximumScannedPixels = 1 << 31

  private let handle: tjhandle

  init() {
    guard let handle = tjInitDecompress() else {
      trap("JPEGDecoder: \(String(cString: tjGetErrorStr2(nil)))")
    }
    self.handle = handle
  }

  deinit { tjDestroy(handle) }

  /// The upright picture; cyan, magenta, yellow and black are converted to red, green and blue.
  ///
  /// The first thing that libjpeg-turbo warns of, a file cut short above all, is damage.
  func decode(
    _ bytes: UnsafeRawBufferPointer, of path: FilePath, requiring requirement: ImageRequirement
  ) throws(FileError) -> DecodedImage {
    let markers = JPEGMarkers(bytes)
    guard let copy = markers.mended(bytes) else {
      return try decode(bytes, markers, of: path, requiring: requirement)
    }
    return try copy.withUnsafeBufferPointer { (copy) throws(FileError) -> DecodedImage in
      let bytes = UnsafeRawBufferPointer(copy)
      return try decode(bytes, JPEGMarkers(bytes), of: path, requiring: requirement)
    }
  }

  private func decode(
    _ bytes: UnsafeRawBufferPointer, _ markers: JPEGMarkers, of path: FilePath,
    requiring requirement: ImageRequirement
  ) throws(FileError) -> DecodedImage {
    if let frame = markers.frame { try check(frame, path) }
    let header = try header(of: bytes, path)
    let orientation = markers.orientation ?? .upright
    try requirement.check(
      height: header.height, width: header.width, in: orientation, isGrey: header.inks == .grey,
      of: path)
    try check(markers.scans, header, path)
    let stored = DecodedImage(
      height: header.height, width: header.width, channels: header.inks == .grey ? 1 : 3,
      pixels: try pixels(bytes, header, path))
    return stored.upright(from: orientation)
  }

  private static func start(of bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
    bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
  }

  // MARK: Before memory is taken

  private enum Inks { case grey, redGreenBlue, cyanMagentaYellowBlack }

  private typealias Header = (height: Int, width: Int, inks: Inks)

  private func check(_ frame: JPEGMarkers.Frame, _ path: FilePath) throws(FileError) {
    func refuse(_ expected: String, _ found: String) throws(FileError) {
      throw FileError(.damaged, "JPEG", path: path, expected: expected, found: found)
    }
    switch frame.marker {
    case 0xc0...0xc2: break
    case 0xc3: try refuse("baseline or progressive coding", "lossless coding")
    case 0xc9, 0xca: try refuse("Huffman coding", "arithmetic coding")
    default: try refuse("baseline or progressive coding", "lossless or hierarchical coding")
    }
    if frame.precision != 8 { try refuse("8 bits a sample", "\(frame.precision)") }
    if ![1, 3, 4].contains(frame.components) {
      try refuse("1, 3 or 4 components", "\(frame.components)")
    }
  }

  private func header(
    of bytes: UnsafeRawBufferPointer, _ path: FilePath
  ) throws(FileError) -> Header {
    var (width, height, subsampling, colours): (Int32, Int32, Int32, Int32) = (0, 0, 0, -1)
    let status = tjDecompressHeader3(
      handle, Self.start(of: bytes), UInt(bytes.count), &width, &height, &subsampling, &colours)
    // A warning is seen again when the pixels are read. Subsampling that TurboJPEG has no name for
    // is an error here, but none there.
    if status != 0 && (width <= 0 || height <= 0 || colours < 0) { throw damaged(path) }
    guard width > 0, height > 0 else {
      // Tables without a picture are a kind of JPEG, too.
      throw FileError(
        .damaged, "JPEG", path: path, expected: "an intact picture", found: "none before the end")
    }
    let inks: Inks =
      switch UInt32(bitPattern: colours) {
      case TJCS_GRAY.rawValue: .grey
      case TJCS_CMYK.rawValue, TJCS_YCCK.rawValue: .cyanMagentaYellowBlack
      default: .redGreenBlue
      }
    return (Int(height), Int(width), inks)
  }

  private func check(_ scans: Int, _ header: Header, _ path: FilePath) throws(FileError) {
    let limit = min(
      Self.maximumScans, Self.maximumScannedPixels / (header.height * header.width))
    guard scans <= limit else {
      throw FileError(
        .damaged, "JPEG", path: path,
        expected: "at most \(limit) scans of \(header.height) rows of \(header.width) pixels",
        found: "\(scans)")
    }
  }

  // MARK: Pixels

  private func pixels(_ bytes: UnsafeRawBufferPointer, _ header: Header, _ path: FilePath)
    throws(FileError) -> [UInt8]
  {
    let (format, channels) =
      switch header.inks {
      case .grey: (TJPF_GRAY, 1)
      case .redGreenBlue: (TJPF_RGB, 3)
      case .cyanMagentaYellowBlack: (TJPF_CMYK, 4)
      }
    var status: Int32 = 0
    let pixels = [UInt8](unsafeUninitializedCapacity: header.height * header.width * channels) {
      $0.initialize(repeating: 0)
      status = tjDecompress2(
        handle, Self.start(of: bytes), UInt(bytes.count), $0.baseAddress, Int32(header.width), 0,
        Int32(header.height), Int32(format.rawValue),
        TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS | TJFLAG_STOPONWARNING)
      $1 = channels == 4 ? Self.convertInks($0) : $0.count
    }
    if status != 0 { throw damaged(path) }
    return pixels
  }

  /// Writes red, green and blue in place of Adobe's inverted cyan, magenta, yellow, black; returns
  /// their number.
  ///
  /// Concretely, with inks in [0, 1], red is (1 − black)(1 − cyan), rounded as Pillow does.
  private static func convertInks(_ pixels: UnsafeMutableBufferPointer<UInt8>) -> Int {
    for pixel in 0..<pixels.count / 4 {
      let white = Int(pixels[4 * pixel + 3])
      for ink in 0..<3 {
        let product = (255 - Int(pixels[4 * pixel + ink])) * white + 128
        pixels[3 * pixel + ink] = UInt8(clamping: white - (product >> 8 + product) >> 8)
      }
    }
    return pixels.count / 4 * 3
  }

  private func damaged(_ path: FilePath) -> FileError {
    FileError(
      .damaged, "JPEG", path: path, expected: "an intact picture",
      found: String(cString: tjGetErrorStr2(handle)))
  }
}
