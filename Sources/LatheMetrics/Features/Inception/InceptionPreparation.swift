import LatheTensors

/// How images in [0, 1] become what Inception takes: 299 × 299, three channels, in about [−1, 1].
public struct InceptionPreparation: Hashable, Sendable {
  /// A resize and the scaling after it. They give slightly different features: compare
  /// like with like.
  public enum Resize: String, CaseIterable, Hashable, Sendable {
    /// The graph's own: pixel i of the new image at i · (old size / new size), then (255 x − 128) /
    /// 128.
    case tensorflow
    /// That of the PyTorch port `pytorch-fid`: half-pixel centres, then 2 x − 1.
    case pytorch
    /// That of `clean-fid`: bicubic and antialiased, as Pillow's of mode F, without rounding, cut
    /// to [0, 255], then (255 x − 128) / 128. Parmar, Zhang and Zhu, "On Aliased Resizing and
    /// Surprising Subtleties in GAN Evaluation", CVPR 2022.
    case clean
  }

  /// How images are resized and scaled.
  public var resize: Resize

  public init(resize: Resize = .tensorflow) { self.resize = resize }

  /// Side of the network's input.
  static let side = 299

  /// Shapes: `[N, H, W, 1 or 3]` → `[N, 299, 299, 3]`.
  func callAsFunction(_ images: Tensor) -> Tensor {
    var x = images
    if x.shape[3] == 1 { x = x.broadcast(to: [x.shape[0], x.shape[1], x.shape[2], 3]) }
    // Scaling first gives the same numbers but for rounding, and there are fewer pixels then.
    switch resize {
    case .tensorflow: return resized(x * (255.0 / 128) - 1, halfPixelCentres: false)
    case .pytorch: return resized(x * 2 - 1, halfPixelCentres: true)
    case .clean:
      let levels = resizingBicubically(x * 255, height: Self.side, width: Self.side)
      return (levels.clamped(to: 0...255) - 128) / 128
    }
  }

  private func resized(_ x: Tensor, halfPixelCentres: Bool) -> Tensor {
    resizingBilinearly(
      x, height: Self.side, width: Self.side, halfPixelCentres: halfPixelCentres)
  }
}

extension InceptionPreparation: CustomStringConvertible {
  /// `tensorflow resize`.
  public var description: String { "\(resize.rawValue) resize" }
}
