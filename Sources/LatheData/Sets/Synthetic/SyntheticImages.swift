import LatheNN
import Glibc

extension Dataset {
  /// Soft bars of ten orientations, for runs that need images with structure and no files.
  public static let synthetic = Dataset(
    name: "synthetic",
    summary: "generated bars of ten orientations, 28 × 28 grey",
    shape: ImageShape(height: 28, width: 28, channels: 1),
    officialCounts: [.train: 6_000, .test: 1_000],
    classNames: (0...9).map { "bar at \(18 * $0)°" },
    origin: .generated { entry, split, seed in
      let count = entry.count(of: split)
      let random = CounterRandom(seed: seed).stream(split == .train ? 0 : 1)
      var pixels: [UInt8] = []
      pixels.reserveCapacity(count * entry.shape.count)
      for index in 0..<count {
        Bar(label: index % 10, random: random.stream(index)).draw(entry.shape, onto: &pixels)
      }
      return ImageSet(
        name: entry.name, split: split, shape: entry.shape, pixels: pixels,
        labels: (0..<count).map { UInt8($0 % 10) }, classNames: entry.classNames)
    })
}

/// A bright bar with soft edges; its class decides the angle, six factors the rest.
private struct Bar {
  let angle, centreX, centreY, length, width, brightness: Double

  /// Lengths are fractions of the image's half side, angles are radians.
  init(label: Int, random: CounterRandom) {
    func uniform(_ draw: Int, _ low: Double, _ high: Double) -> Double {
      low + (high - low) * random.uniform(draw)
    }
    angle = Double.pi / 10 * (Double(label) + uniform(0, -0.25, 0.25))
    centreX = uniform(1, -0.25, 0.25)
    centreY = uniform(2, -0.25, 0.25)
    length = uniform(3, 0.4, 0.7)
    width = uniform(4, 0.1, 0.25)
    brightness = uniform(5, 0.6, 1)
  }

  /// brightness · exp(−½ (across/width)² − ½ (beyond/width)²), where `across` is the distance from
  /// the bar's line and `beyond` the distance past its ends.
  private func brightness(x: Double, y: Double, cosine: Double, sine: Double) -> Double {
    let along = (x - centreX) * cosine + (y - centreY) * sine
    let across = (y - centreY) * cosine - (x - centreX) * sine
    let beyond = max(abs(along) - length, 0)
    return brightness * exp(-0.5 * (across * across + beyond * beyond) / (width * width))
  }

  func draw(_ shape: ImageShape, onto pixels: inout [UInt8]) {
    let (cosine, sine) = (cos(angle), sin(angle))
    for row in 0..<shape.height {
      for column in 0..<shape.width {
        let x = (Double(column) + 0.5) / Double(shape.width) * 2 - 1
        let y = 1 - (Double(row) + 0.5) / Double(shape.height) * 2
        let value = brightness(x: x, y: y, cosine: cosine, sine: sine)
        pixels.append(UInt8((value * 255).rounded()))
      }
    }
  }
}
