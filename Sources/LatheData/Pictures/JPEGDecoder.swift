import LatheFiles
import CTurboJPEG
import SystemPackage

/// Decodes one JPEG by libjpeg-turbo's TurboJPEG functions, which return their errors.
///
/// One for each picture: after an error, version 2.1 carries over what it had read into the next
/// picture.
struct JPEGDecoder: ~Copyable {
  private let handle: tjhandle

  init() {
    guard let handle = tjInitDecompress() else {
      trap("JPEGDecoder: \(String(cString: tjGetErrorStr2(nil)))")
    }
    self.handle = handle
  }

  deinit { tjDestroy(handle) }

  /// Anything that libjpeg-turbo warns of, a file cut short above all, is damage.
  func decode(
    _ bytes: UnsafeRawBufferPointer, of path: FilePath, requiring requirement: ImageRequirement
  ) throws(FileError) -> DecodedImage {
    let header = try header(of: bytes, path)
    try requirement.check(
      height: header.height, width: header.width, isGrey: header.isGrey, of: path)
    let format = header.isGrey ? TJPF_GRAY : TJPF_RGB
    let channels = header.isGrey ? 1 : 3
    var status: Int32 = 0
    let pixels = [UInt8](unsafeUninitializedCapacity: header.height * header.width * channels) {
      $0.initialize(repeating: 0)
      status = tjDecompress2(
        handle, Self.start(of: bytes), UInt(bytes.count), $0.baseAddress, Int32(header.width), 0,
        Int32(header.height), Int32(format.rawValue), TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)
      $1 = $0.count
    }
    if status != 0 { throw damaged(path) }
    return DecodedImage(
      height: header.height, width: header.width, channels: channels, pixels: pixels)
  }

  private static func start(of bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
    bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
  }

  private func header(
    of bytes: UnsafeRawBufferPointer, _ path: FilePath
  ) throws(FileError) -> (height: Int, width: Int, isGrey: Bool) {
    var (width, height, subsampling, colours): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    let status = tjDecompressHeader3(
      handle, Self.start(of: bytes), UInt(bytes.count), &width, &height, &subsampling, &colours)
    // A warning is seen again when the pixels are read, if there are any.
    if status != 0 && (isFatal || width <= 0 || height <= 0) { throw damaged(path) }
    guard width > 0, height > 0 else {
      // Tables without a picture are a kind of JPEG, too.
      throw FileError(
        .damaged, "JPEG", path: path, expected: "an intact picture", found: "none before the end")
    }
    guard colours != Int32(TJCS_CMYK.rawValue), colours != Int32(TJCS_YCCK.rawValue) else {
      throw FileError(
        .damaged, "colours", path: path, expected: "red, green, blue or grey",
        found: colours == Int32(TJCS_CMYK.rawValue) ? "CMYK" : "YCCK")
    }
    return (Int(height), Int(width), colours == Int32(TJCS_GRAY.rawValue))
  }

  private var isFatal: Bool { tjGetErrorCode(handle) == Int32(TJERR_FATAL.rawValue) }

  private func damaged(_ path: FilePath) -> FileError {
    FileError(
      .damaged, "JPEG", path: path, expected: "an intact picture",
      found: String(cString: tjGetErrorStr2(handle)))
  }
}
