import LatheTensors

/// A parameter or buffer as PyTorch names it and lays it out.
///
/// Weights of linear layers are `[out, in]` there, those of convolutions `[out, in, height,
/// width]`, of transposed convolutions `[in, out, height, width]`. Batch norm has `weight`, `bias`,
/// `running_mean` and `running_var`; the running statistics need no correction. Everything else is
/// as it is here.
public struct PyTorchTensor: Equatable, Sendable {
  /// Here: `encoder.norm0.gamma`.
  public let ownName: String
  /// In PyTorch: `encoder.norm0.weight`.
  public let name: String
  /// In PyTorch.
  public let shape: [Int]
  /// Axis k in PyTorch is axis `permutation[k]` here; nil where they are the same.
  let permutation: [Int]?

  /// The parameter or buffer of a path and a shape here.
  package init(_ ownName: String, shape own: Shape) {
    self.ownName = ownName
    let parts = ownName.split(separator: ".").map(String.init)
    let present = Self.names[parts.last ?? ""] ?? parts.last ?? ""
    name = (parts.dropLast() + [present]).joined(separator: ".")
    permutation = parts.last == "weight" ? Self.weightPermutations[own.rank] : nil
    shape = (permutation ?? Array(0..<own.rank)).map { own.sizes[$0] }
  }

  private static let names = ["gamma": "weight", "beta": "bias"]
  /// By the number of axes.
  private static let weightPermutations = [2: [1, 0], 4: [3, 2, 0, 1]]

  /// Whether axes have another order there.
  package var isPermuted: Bool { permutation != nil }

  /// A tensor of ours as PyTorch has it.
  public func exported(_ tensor: Tensor) -> Tensor {
    permutation.map { tensor.transposed($0) } ?? tensor
  }

  /// A tensor of PyTorch's as we have it.
  public func imported(_ tensor: Tensor) -> Tensor {
    guard let permutation else { return tensor }
    return tensor.transposed(permutation.indices.map { permutation.firstIndex(of: $0)! })
  }
}

extension ParameterStore {
  /// Parameters, then buffers, as PyTorch has them.
  public var pyTorchTensors: [PyTorchTensor] {
    let all = parameters.map { ($0.name, $0.shape) } + savedBuffers.map { ($0.name, $0.shape) }
    return all.map { PyTorchTensor($0, shape: $1) }
  }

  /// Those that PyTorch has a place for.
  private var savedBuffers: [Buffer] { buffers.filter { !$0.isBiasCorrection } }

  /// Their values in PyTorch's layouts; running statistics are corrected.
  public var pyTorchValues: [(tensor: PyTorchTensor, values: Tensor)] {
    let values = parameters.map(\.value) + savedBuffers.map { correctedValue(of: $0) }
    return zip(pyTorchTensors, values).map { ($0, $0.exported($1)) }
  }

  private func correctedValue(of buffer: Buffer) -> Tensor {
    guard let share = buffers.first(where: { $0.isBiasCorrection && $0.isBeside(buffer) }) else {
      return buffer.value
    }
    let isMean = buffer.name.hasSuffix(".running_mean")
    let both = BatchNorm.corrected(
      mean: buffer.value, variance: buffer.value, share: share.value)
    return isMean ? both.mean : both.variance
  }

  /// Takes over values in PyTorch's layouts, which `read` gives for each of ``pyTorchTensors``.
  ///
  /// Running statistics are complete: nothing is left of their first values.
  public func setPyTorchValues(_ read: (PyTorchTensor) throws -> Tensor) rethrows {
    let targets = parameters.map(\.value) + savedBuffers.map(\.value)
    for (tensor, target) in zip(pyTorchTensors, targets) {
      let values = tensor.imported(try read(tensor))
      withExtendedLifetime(values) {
        target.storage.pointer.update(from: values.storage.pointer, count: target.shape.count)
      }
    }
    for share in buffers where share.isBiasCorrection { share.value.storage.pointer[0] = 0 }
  }
}

extension Buffer {
  /// What batch norm corrects its running statistics by.
  fileprivate var isBiasCorrection: Bool { name.hasSuffix(".starting_share") }

  /// Whether both belong to one layer.
  fileprivate func isBeside(_ other: Buffer) -> Bool {
    name.dropLast(name.reversed().prefix { $0 != "." }.count)
      == other.name.dropLast(other.name.reversed().prefix { $0 != "." }.count)
  }
}
