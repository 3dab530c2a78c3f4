/// Inception-v3 as of 2015-12-05, up to the average over its last 8 × 8 places.
///
/// Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, with the
/// deviations of the network that FID is defined by (Heusel et al., "GANs Trained by a Two
/// Time-Scale Update Rule Converge to a Local Nash Equilibrium", NeurIPS 2017): average pools leave
/// out padding, and the last block's pool takes the maximum.
enum InceptionTable {
  /// A convolution with bias and ReLU; batch normalisation is folded into both.
  struct Unit {
    let name: String
    let outputs, height, width: Int
    let stride: Int
    /// Whether zeros around keep the size; otherwise there are none.
    let isPadded: Bool
  }

  /// A piece of the network, or the pieces of a branch.
  enum Step {
    case unit(Unit)
    /// 3 × 3, stride 2, or 1 with padding.
    case maxPool(stride: Int)
    /// 3 × 3 average at stride 1, followed by a 1 × 1 unit.
    case averaged(Unit)
    /// Branches that see the same, one behind the other along the channels.
    indirect case branches([[Step]])
  }

  /// Steps up to a place where features can be read, if they can there.
  struct Stage {
    let name: String
    let steps: [Step]
    var dimensions: Int?
  }

  /// Every stage in order.
  static let stages: [Stage] = [
    Stage(
      name: "block 0",
      steps: [
        conv("Conv2d_1a_3x3", 32, 3, stride: 2, padded: false),
        conv("Conv2d_2a_3x3", 32, 3, padded: false), conv("Conv2d_2b_3x3", 64, 3),
        .maxPool(stride: 2),
      ], dimensions: 64),
    Stage(
      name: "block 1",
      steps: [
        conv("Conv2d_3b_1x1", 80, 1), conv("Conv2d_4a_3x3", 192, 3, padded: false),
        .maxPool(stride: 2),
      ], dimensions: 192),
    a("Mixed_5b", pool: 32), a("Mixed_5c", pool: 64), a("Mixed_5d", pool: 64), b("Mixed_6a"),
    c("Mixed_6b", 128), c("Mixed_6c", 160), c("Mixed_6d", 160), c("Mixed_6e", 192, dimensions: 768),
    d("Mixed_7a"), e("Mixed_7b", takesMaximum: false),
    e("Mixed_7c", takesMaximum: true, dimensions: 2048),
  ]

  private static func conv(
    _ name: String, _ outputs: Int, _ size: Int, stride: Int = 1, padded: Bool = true
  ) -> Step {
    .unit(
      Unit(
        name: name, outputs: outputs, height: size, width: size, stride: stride, isPadded: padded))
  }

  private static func conv(_ name: String, _ outputs: Int, _ height: Int, by width: Int) -> Step {
    .unit(
      Unit(
        name: name, outputs: outputs, height: height, width: width, stride: 1, isPadded: true))
  }

  private static func averaged(_ block: String, _ outputs: Int) -> Step {
    .averaged(
      Unit(
        name: block + ".branch_pool", outputs: outputs, height: 1, width: 1, stride: 1,
        isPadded: true))
  }

  /// 35 × 35.
  private static func a(_ block: String, pool: Int) -> Stage {
    Stage(
      name: block,
      steps: [
        .branches([
          [conv(block + ".branch1x1", 64, 1)],
          [conv(block + ".branch5x5_1", 48, 1), conv(block + ".branch5x5_2", 64, 5)],
          [
            conv(block + ".branch3x3dbl_1", 64, 1), conv(block + ".branch3x3dbl_2", 96, 3),
            conv(block + ".branch3x3dbl_3", 96, 3),
          ],
          [averaged(block, pool)],
        ])
      ])
  }

  /// 35 × 35 to 17 × 17.
  private static func b(_ block: String) -> Stage {
    Stage(
      name: block,
      steps: [
        .branches([
          [conv(block + ".branch3x3", 384, 3, stride: 2, padded: false)],
          [
            conv(block + ".branch3x3dbl_1", 64, 1), conv(block + ".branch3x3dbl_2", 96, 3),
            conv(block + ".branch3x3dbl_3", 96, 3, stride: 2, padded: false),
          ],
          [.maxPool(stride: 2)],
        ])
      ])
  }

  /// 17 × 17.
  private static func c(_ block: String, _ inner: Int, dimensions: Int? = nil) -> Stage {
    Stage(
      name: block,
      steps: [
        .branches([
          [conv(block + ".branch1x1", 192, 1)],
          [
            conv(block + ".branch7x7_1", inner, 1), conv(block + ".branch7x7_2", inner, 1, by: 7),
            conv(block + ".branch7x7_3", 192, 7, by: 1),
          ],
          [
            conv(block + ".branch7x7dbl_1", inner, 1),
            conv(block + ".branch7x7dbl_2", inner, 7, by: 1),
            conv(block + ".branch7x7dbl_3", inner, 1, by: 7),
            conv(block + ".branch7x7dbl_4", inner, 7, by: 1),
            conv(block + ".branch7x7dbl_5", 192, 1, by: 7),
          ],
          [averaged(block, 192)],
        ])
      ], dimensions: dimensions)
  }

  /// 17 × 17 to 8 × 8.
  private static func d(_ block: String) -> Stage {
    Stage(
      name: block,
      steps: [
        .branches([
          [
            conv(block + ".branch3x3_1", 192, 1),
            conv(block + ".branch3x3_2", 320, 3, stride: 2, padded: false),
          ],
          [
            conv(block + ".branch7x7x3_1", 192, 1), conv(block + ".branch7x7x3_2", 192, 1, by: 7),
            conv(block + ".branch7x7x3_3", 192, 7, by: 1),
            conv(block + ".branch7x7x3_4", 192, 3, stride: 2, padded: false),
          ],
          [.maxPool(stride: 2)],
        ])
      ])
  }

  /// 8 × 8.
  private static func e(_ block: String, takesMaximum: Bool, dimensions: Int? = nil) -> Stage {
    func split(_ name: String) -> Step {
      .branches([
        [conv(block + "." + name + "a", 384, 1, by: 3)],
        [conv(block + "." + name + "b", 384, 3, by: 1)],
      ])
    }
    let pool: [Step] =
      takesMaximum
      ? [.maxPool(stride: 1), conv(block + ".branch_pool", 192, 1)] : [averaged(block, 192)]
    return Stage(
      name: block,
      steps: [
        .branches([
          [conv(block + ".branch1x1", 320, 1)],
          [conv(block + ".branch3x3_1", 384, 1), split("branch3x3_2")],
          [
            conv(block + ".branch3x3dbl_1", 448, 1), conv(block + ".branch3x3dbl_2", 384, 3),
            split("branch3x3dbl_3"),
          ],
          pool,
        ])
      ], dimensions: dimensions)
  }
}

extension InceptionTable {
  /// Lengths of the feature vectors that can be read.
  static let dimensions = stages.compactMap(\.dimensions)

  /// The stages up to those features; nil if there are none of that length.
  static func stages(upTo dimensions: Int) -> ArraySlice<Stage>? {
    stages.firstIndex { $0.dimensions == dimensions }.map { stages[...$0] }
  }
}

extension [InceptionTable.Step] {
  /// Every unit in order.
  var units: [InceptionTable.Unit] {
    flatMap { step -> [InceptionTable.Unit] in
      switch step {
      case .unit(let unit), .averaged(let unit): [unit]
      case .maxPool: []
      case .branches(let branches): branches.flatMap(\.units)
      }
    }
  }
}
