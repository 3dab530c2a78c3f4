import LatheFiles
import LatheKernels

// For inference only: neither is differentiable.

/// The largest value of each square window, channel by channel, of images that are constants.
///
/// Shapes: `[N, H, W, C]` → `[N, H′, W′, C]`, H′ = ⌊(H + 2 padding − kernel) / stride⌋ + 1. What of
/// a window lies outside the image is left out.
public func maxPooling(_ images: Tensor, kernel: Int, stride: Int, padding: Int = 0) -> Tensor {
  pooling(images, kernel, stride, padding, LatheKernels.maxPool)
}

/// The mean over each square window's pixels inside the image, channel by channel, of images that
/// are constants.
///
/// Shapes as for ``maxPooling(_:kernel:stride:padding:)``.
public func averagePooling(_ images: Tensor, kernel: Int, stride: Int, padding: Int = 0) -> Tensor {
  pooling(images, kernel, stride, padding, LatheKernels.averagePool)
}

private func pooling(
  _ images: Tensor, _ kernel: Int, _ stride: Int, _ padding: Int,
  _ pool: (Floats, MutableFloats, PoolingGeometry) -> Void
) -> Tensor {
  let x = requireImages(images, "pooling")
  let geometry = PoolingGeometry(
    batch: x[0], height: x[1], width: x[2], channels: x[3], kernel: kernel, stride: stride,
    padding: padding)
  let shape: Shape = [x[0], geometry.outputHeight, geometry.outputWidth, x[3]]
  return Tensor(shape: shape) { result in
    Profile.measure(.reduction) { pool(images.pointer, result, geometry) }
  }
}

/// Images that are constants, resized bilinearly; see ``ResizedAxis`` for where the new pixels lie.
///
/// Shapes: `[N, H, W, C]` → `[N, height, width, C]`.
public func resizingBilinearly(
  _ images: Tensor, height: Int, width: Int, halfPixelCentres: Bool
) -> Tensor {
  let x = requireImages(images, "resizing")
  let rows = ResizedAxis(x[1], to: height, halfPixelCentres: halfPixelCentres)
  let columns = ResizedAxis(x[2], to: width, halfPixelCentres: halfPixelCentres)
  return Tensor(shape: [x[0], height, width, x[3]]) { result in
    Profile.measure(.movement) {
      LatheKernels.resizeBilinear(
        images.pointer, batch: x[0], height: x[1], width: x[2], channels: x[3], rows: rows,
        columns: columns, result)
    }
  }
}

/// Images that are constants, resized bicubically with antialiasing: first along rows, then along
/// columns, as Pillow does in its mode F.
///
/// Shapes: `[N, H, W, C]` → `[N, height, width, C]`.
public func resizingBicubically(_ images: Tensor, height: Int, width: Int) -> Tensor {
  let x = requireImages(images, "resizing")
  let columns = ResampledAxis.bicubic(x[2], to: width)
  let rows = ResampledAxis.bicubic(x[1], to: height)
  let wide = Tensor(shape: [x[0], x[1], width, x[3]]) { result in
    Profile.measure(.movement) {
      resample(
        images.pointer, outer: x[0] * x[1], inputs: x[2], inner: x[3], axis: columns, result)
    }
  }
  return Tensor(shape: [x[0], height, width, x[3]]) { result in
    Profile.measure(.movement) {
      resample(
        wide.pointer, outer: x[0], inputs: x[1], inner: width * x[3], axis: rows, result)
    }
  }
}

private func requireImages(_ images: Tensor, _ operation: String) -> Shape {
  require(
    images.shape.rank == 4, "\(operation): \(images.shape), images [N, H, W, C] expected")
  require(
    !images.isDifferentiable, "\(operation): of constants only, found a differentiable tensor")
  return images.shape
}
