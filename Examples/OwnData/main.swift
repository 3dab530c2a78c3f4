// Images of one's own, made in memory, as a data set of the command line:
//
//   swift run -c release OwnData train vae squares --networks mlp --steps 200

import LatheCommand
import LatheData
import LatheNN

/// White squares of 8 × 8 pixels on black, 32 × 32 pixels, a place for each number.
func squares(_ numbers: Range<Int>) -> ImageSet {
  let side = 32
  var pixels = [UInt8](repeating: 0, count: numbers.count * side * side)
  for (image, number) in numbers.enumerated() {
    let (top, left) = (number * 7 % 24, number * 13 % 24)
    for row in top..<top + 8 {
      for column in left..<left + 8 { pixels[(image * side + row) * side + column] = 255 }
    }
  }
  return ImageSet(images: pixels, shape: ImageShape(height: side, width: side, channels: 1))
}

let set = Dataset(
  "squares", summary: "white squares on black", train: squares(0..<4096), test: squares(4096..<4608)
)
Lathe.main(datasets: .standard + [set])
