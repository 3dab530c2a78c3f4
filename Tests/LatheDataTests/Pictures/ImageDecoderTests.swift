import LatheFiles
import LatheData
import Foundation
import LatheReports
import SystemPackage
import func TestSupport.fileError
import Testing

/// The picture in the bytes of a file.
func decode(_ bytes: [UInt8], requiring requirement: ImageRequirement = ImageRequirement())
  throws(FileError) -> DecodedImage
{
  try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) -> DecodedImage in
    try ImageDecoder().decode(UnsafeRawBufferPointer(bytes), of: "picture", requiring: requirement)
  }
}

/// Why the bytes are no picture.
func decodingError(_ bytes: [UInt8], _ requirement: ImageRequirement = ImageRequirement())
  -> FileError?
{
  fileError { () throws(FileError) in try decode(bytes, requiring: requirement) }
}

@Suite struct ImageDecoderTests {
  @Test(arguments: [1, 3], [false, true]) func jpegs(channels: Int, progressive: Bool) throws {
    let pixels = picture(height: 20, width: 31, channels: channels)
    let image = try decode(
      jpeg(pixels, height: 20, width: 31, channels: channels, progressive: progressive))
    #expect((image.height, image.width, image.channels) == (20, 31, channels))
    let worst = zip(image.pixels, pixels).map { abs(Int($0) - Int($1)) }.max()!
    #expect(worst <= 12, "quality 90")
  }

  @Test(arguments: [1, 3]) func pngs(channels: Int) throws {
    let folder = TemporaryFolder()
    let pixels = picture(height: 9, width: 5, channels: channels)
    let path = folder.path.appending("picture.png")
    try Picture(width: 5, height: 9, channels: channels, pixels: pixels).write(to: path)
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path.string)))
    #expect(
      try decode(bytes) == DecodedImage(height: 9, width: 5, channels: channels, pixels: pixels))
    #expect(decodingError(Array(bytes.prefix(bytes.count / 2)))?.what == "PNG")
  }

  @Test func damagedJPEGs() {
    let whole = face(0)
    #expect(decodingError(Array(whole.prefix(whole.count / 2)))?.what == "JPEG")
    #expect(decodingError(Array(whole.prefix(whole.count / 2)))?.found?.contains("end") == true)
    #expect(decodingError(Array(whole.prefix(30)))?.what == "JPEG")
  }

  @Test func wrongKinds() {
    let size = (height: 20, width: 31)
    var requirement = ImageRequirement()
    requirement.refusesGrey = true
    let grey = jpeg(picture(height: 20, width: 31, channels: 1), height: 20, width: 31, channels: 1)
    #expect(decodingError(grey, requirement)?.found == "grey")
    requirement.size = size
    let other = jpeg(picture(height: 20, width: 30), height: 20, width: 30)
    #expect(decodingError(other, requirement)?.expected == "20 rows of 31 pixels")
    #expect(decodingError(other, requirement)?.found == "20 rows of 30")
    requirement.size = nil
    requirement.maximumPixels = 599
    #expect(decodingError(other, requirement)?.expected == "1 to 599 pixels")
  }
}
