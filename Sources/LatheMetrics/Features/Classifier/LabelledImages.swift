import LatheFiles
import LatheNN
import LatheData
import LatheKernels
import LatheTensors

/// What a classifier is trained on: the images of a set with their labels, grey ones in colour if
/// asked for.
struct LabelledImages {
  let images: ImageSet
  let isColourised: Bool
  private let seed: UInt64

  /// Grey images are coloured if `colour`; what is coloured how follows from `seed` and the split.
  init(_ images: ImageSet, colour: Bool, seed: UInt64) {
    require(!colour || images.shape.channels == 1, "LabelledImages: already in colour")
    self.images = images
    isColourised = colour
    self.seed = images.split == .test ? ~seed : seed
  }

  /// Shape of the images as they are trained on; coloured ones get a margin.
  var shape: ImageShape {
    let margin = isColourised ? ColourScene.margin : 0
    return ImageShape(
      height: images.shape.height + margin, width: images.shape.width + margin,
      channels: isColourised ? 3 : images.shape.channels)
  }

  /// Some images, `[count, height, width, channels]` in [0, 1], and their labels; `flips` says
  /// which are mirrored.
  func batch(_ indices: [Int], flips: [Bool]) -> (images: Tensor, labels: [Int]) {
    let shape = shape
    let tensor = Tensor(
      shape: [indices.count, shape.height, shape.width, shape.channels]
    ) { pointer in
      Workers.forEach(indices.count) { place, _ in
        write(indices[place], flipped: flips[place], to: pointer + place * shape.count)
      }
    }
    return (tensor, indices.map { Int(images.labels[$0]) })
  }

  private func write(_ index: Int, flipped: Bool, to pointer: UnsafeMutablePointer<Float>) {
    let (height, width) = (images.shape.height, images.shape.width)
    let channels = images.shape.channels
    let values = images.values(of: index)
    func value(_ i: Int, _ j: Int, _ channel: Int) -> Float {
      let column = flipped ? width - 1 - j : j
      return values[(i * width + column) * channels + channel]
    }
    if isColourised {
      ColourScene(seed: seed, number: index).paint(height: height, width: width, to: pointer) {
        value($0, $1, 0)
      }
      return
    }
    for i in 0..<height {
      for j in 0..<width {
        for c in 0..<channels { pointer[(i * width + j) * channels + c] = value(i, j, c) }
      }
    }
  }
}

/// A grey image as a coloured object before a background that runs from one colour to another.
struct ColourScene {
  /// Rows and columns that the scene has more than the object.
  static let margin = 4

  private let object, near, far: SIMD3<Float>
  private let top, left: Int
  private let slope: SIMD2<Float>

  /// Everything about the scene follows from `seed` and `number`.
  init(seed: UInt64, number: Int) {
    let random = CounterRandom(seed: seed).stream(number)
    // Half of the objects are bright before dark, the others dark before bright.
    let isBright = random.bits(0) & 1 == 1
    object = Self.colour(random, 1, bright: isBright)
    near = Self.colour(random, 2, bright: !isBright)
    far = Self.colour(random, 3, bright: !isBright)
    top = random.integer(20, below: Self.margin + 1)
    left = random.integer(21, below: Self.margin + 1)
    let across = Float(random.uniform(22))
    slope = SIMD2(1 - across, across)
  }

  /// Any hue, a saturation of 0.2 to 1, a value of 0.6 to 1 if bright, else of 0 to 0.4.
  private static func colour(_ random: CounterRandom, _ part: Int, bright: Bool) -> SIMD3<Float> {
    let hue = Float(random.uniform(4 * part)) * 6
    let saturation = 0.2 + 0.8 * Float(random.uniform(4 * part + 1))
    let value = 0.4 * Float(random.uniform(4 * part + 2)) + (bright ? 0.6 : 0)
    // The hexagon of hues: Smith, "Color Gamut Transform Pairs", SIGGRAPH 1978.
    func channel(_ offset: Float) -> Float {
      let place = (offset + hue).truncatingRemainder(dividingBy: 6)
      return value * (1 - saturation * max(0, min(place, 4 - place, 1)))
    }
    return SIMD3(channel(5), channel(3), channel(1))
  }

  /// Writes `[height + margin, width + margin, 3]`; `grey` is how much of the object there is at a
  /// place.
  func paint(
    height: Int, width: Int, to pointer: UnsafeMutablePointer<Float>,
    grey: (_ row: Int, _ column: Int) -> Float
  ) {
    let (rows, columns) = (height + Self.margin, width + Self.margin)
    for i in 0..<rows {
      for j in 0..<columns {
        let (down, across) = (Float(i) / Float(rows), Float(j) / Float(columns))
        let background = near + (far - near) * (slope.x * down + slope.y * across)
        let (row, column) = (i - top, j - left)
        let isInside = row >= 0 && row < height && column >= 0 && column < width
        let share = isInside ? grey(row, column) : 0
        let colour = background + (object - background) * share
        for c in 0..<3 { pointer[(i * columns + j) * 3 + c] = colour[c] }
      }
    }
  }
}
