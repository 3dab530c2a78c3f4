import LatheFiles
import LatheNN
import LatheTensors

/// What a conditional model knows of labels: a code is followed by the label of its image, and the
/// decoder is given both.
///
/// Sohn, Lee and Yan, "Learning Structured Output Representation using Deep Conditional Generative
/// Models", NeurIPS 2015, give labels to both networks. Here the encoder does without: an image has
/// one label, so q(z | x, y) = q(z | x).
public struct CodeLabels {
  /// Training images whose labels are known to samplers.
  private static let rows = 1000

  /// Numbers of a label: one for each class, of which one is 1, or for each attribute, 0 or 1.
  public let size: Int
  /// Labels of training images, `[rows, size]`; zeros before training.
  private let known: Buffer

  /// Makes the buffer `labels`; nil for a size of 0, that of models that are not conditional.
  public init?(_ scope: Scope, size: Int) {
    guard size > 0 else { return nil }
    self.size = size
    known = scope.buffer("labels", [Self.rows, size], .zeros, momentum: 0)
  }

  /// Takes labels of training images at equal distances: `label` gives that of one of `count`.
  public func learn(count: Int, _ label: (Int) -> [Float]) {
    let pointer = known.value.storage.pointer
    for row in 0..<Self.rows {
      for (place, value) in label(row * count / Self.rows).enumerated() {
        pointer[row * size + place] = value
      }
    }
  }

  /// Codes followed by the labels of their images, or by that of one image; codes as they are for
  /// images without labels. Shapes: `[N, m]` → `[N, m + size]`.
  func following(_ codes: Tensor, of images: Tensor) -> Tensor {
    guard let labels = images.labels else { return codes }
    require(labels.shape[1] == size, "labels of \(labels.shape[1]) numbers, expected \(size)")
    let count = codes.shape[0]
    let rows = labels.shape[0] == count ? labels : labels.gather([Int](repeating: 0, count: count))
    return concatenated([codes, rows], axis: 1)
  }

  /// The same for images whose labels must be known.
  func required(_ codes: Tensor, of images: Tensor) -> Tensor {
    require(images.labels != nil, "a conditional model needs images with labels")
    return following(codes, of: images)
  }

  /// Labels of a class, or labels of training images with an attribute, `[count, size]`.
  public func drawn(_ count: Int, of number: Int, _ random: RandomSource) -> Tensor {
    let areClasses = areClasses
    var values = drawn(count, random).values
    for row in 0..<count {
      if areClasses { for place in 0..<size { values[row * size + place] = 0 } }
      values[row * size + number] = 1
    }
    return Tensor(values, shape: [count, size])
  }

  /// Labels of training images, drawn randomly, `[count, size]`.
  func drawn(_ count: Int, _ random: RandomSource) -> Tensor {
    let places = random.uniform("label", [count]).values
    return known.value.gather(places.map { min(Int($0 * Float(Self.rows)), Self.rows - 1) })
  }

  /// The class that each of some labels stands for, the place of its 1; 0 for all where labels are
  /// attributes, so that they are of one kind.
  public func classes(of labels: Tensor) -> [Int] {
    guard areClasses else { return [Int](repeating: 0, count: labels.shape[0]) }
    let values = labels.values
    return (0..<labels.shape[0]).map { row in
      values[row * size..<(row + 1) * size].firstIndex { $0 > 0.5 }.map { $0 - row * size } ?? 0
    }
  }

  /// Whether labels are classes, of which an image has one, and not attributes.
  public var areClasses: Bool {
    let values = known.value.values
    return (0..<Self.rows).allSatisfy { row in
      values[row * size..<(row + 1) * size].reduce(0, +) == 1
    }
  }
}

/// Networks whose decoder is given codes and, where the model is conditional, labels behind them.
public protocol LabelledDecoder {
  var decoder: any DecoderNetwork { get }
  var labels: CodeLabels? { get }
}

extension LabelledDecoder {
  /// Decoded codes of images. Shapes: `[N, m]`, `[N, H, W, C]` → `[N, H, W, C]`.
  public func decoded(_ codes: Tensor, of images: Tensor, mode: Mode) -> Tensor {
    decoder(labels?.required(codes, of: images) ?? codes, mode: mode)
  }

  /// Codes as others are given them. Shapes: `[N, m]` → `[N, m + labelSize]`.
  public func labelled(_ codes: Tensor, of images: Tensor) -> Tensor {
    labels?.following(codes, of: images) ?? codes
  }
}

extension Model {
  /// Numbers of a label behind each code; 0 for models that are not conditional.
  public var labelSize: Int { labels?.size ?? 0 }

  /// Codes without the labels behind them. Shapes: `[N, m + labelSize]` → `[N, m]`.
  public func withoutLabels(_ codes: Tensor) -> Tensor {
    labels.map { codes.slice(0..<codes.shape[1] - $0.size, axis: 1) } ?? codes
  }
}
