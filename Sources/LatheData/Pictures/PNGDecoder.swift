import LatheFiles
import CPNG
import SystemPackage

// libpng reports errors by longjmp, which must not cross Swift frames. Its simplified interface
// catches them itself and returns a status and a message, so only that interface is used here.

/// The picture in a PNG file's bytes, 8 bits a channel, transparency laid on black.
///
/// - Throws: `FileError` (damaged) if libpng refuses it or it is not what is required.
func decodePNG(
  _ bytes: UnsafeRawBufferPointer, of path: FilePath, requiring requirement: ImageRequirement
) throws(FileError) -> DecodedImage {
  var image = png_image()
  image.version = png_uint_32(PNG_IMAGE_VERSION)
  defer { png_image_free(&image) }
  guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
    throw damaged(image, path)
  }
  image.format &= PNG_FORMAT_FLAG_COLOR
  let (height, width) = (Int(image.height), Int(image.width))
  let isGrey = image.format == 0
  try requirement.check(height: height, width: width, isGrey: isGrey, of: path)
  var pixels = [UInt8](repeating: 0, count: height * width * (isGrey ? 1 : 3))
  guard png_image_finish_read(&image, nil, &pixels, 0, nil) != 0 else {
    throw damaged(image, path)
  }
  return DecodedImage(height: height, width: width, channels: isGrey ? 1 : 3, pixels: pixels)
}

private func damaged(_ image: png_image, _ path: FilePath) -> FileError {
  let message = withUnsafeBytes(of: image.message) {
    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
  }
  return FileError(
    .damaged, "PNG", path: path, expected: "an intact picture", found: message)
}
