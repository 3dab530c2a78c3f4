import LatheTensors
import TestSupport
import Testing

@Suite struct ResamplingTests {
  /// What Pillow 13.0.0's `Image.resize` gives in mode F for the same 5 × 7 image.
  private static let golden: [(height: Int, width: Int, values: [Float])] = [
    (2, 3, [71.4917755, 111.469475, 138.139008, 153.264542, 115.175179, 140.227722]),
    (
      8, 11,
      [
        -6.66792536, -2.55839515, 9.93279171, 37.1425743, 60.7762527, 81.5535049, 106.380341,
        149.585129, 199.929321, 76.0077133, -30.4253063, 24.7961063, 54.7636642, 81.916687,
        31.9755535, 38.5948067, 96.8188171, 158.143387, 185.333755, 166.624741, 125.124603,
        95.6244202, 78.4379883, 126.661774, 161.328125, 45.5937729, 34.7893944, 119.394531,
        208.778641, 206.680389, 103.930336, 182.42659, 262.088867, 125.76709, 96.8217621,
        75.2322693, 139.872147, 156.012741, 128.613281, 120.373428, 81.0519791, 16.907774,
        140.215454, 248.602539, 158.295166, 104.361343, 61.7269173, 173.490082, 192.963226,
        129.238281, 85.305687, 46.7276917, 23.5600777, 124.87854, 208.730713, 174.703857,
        159.044769, 138.054749, 135.38916, 129.567398, 121.269531, 118.268333, 119.034348,
        124.323952, 146.391235, 162.541748, 183.027618, 199.098495, 194.71373, 91.8477325,
        62.5053101, 100.129921, 129.447586, 167.353973, 206.536026, 150.522064, 98.9478836,
        185.700104, 220.01059, 225.146835, 64.5846786, 21.6752682, 85.6974182, 133.563889,
        192.902267, 251.754364, 150.631088, 59.9151573,
      ]
    ),
  ]

  @Test(arguments: golden.indices) func agreesWithPillow(_ index: Int) {
    let expected = Self.golden[index]
    let levels = (0..<35).map { (place: Int) -> Float in
      let level = place * place * 5 + place * 13
      return Float(level % 256)
    }
    // Channels are resized each by itself, and images too.
    var pixels: [Float] = []
    for level in levels { pixels += [level, 255 - level] }
    for level in levels { pixels += [2 * level, 7] }
    let images = Tensor(pixels, shape: [2, 5, 7, 2])
    let found = resizingBicubically(images, height: expected.height, width: expected.width)
    #expect(found.shape == [2, expected.height, expected.width, 2])
    let (values, count) = (found.values, expected.values.count)
    let first: [Float] = (0..<count).map { values[2 * $0] }
    let second: [Float] = (0..<count).map { place in 255 - values[2 * place + 1] }
    let third: [Float] = (0..<count).map { place in values[2 * (count + place)] / 2 }
    for own in [first, second, third] {
      expectClose(own, expected.values, relative: 1e-6, absolute: 1e-4)
    }
  }
}
