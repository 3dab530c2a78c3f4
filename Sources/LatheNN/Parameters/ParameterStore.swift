import LatheFiles
import LatheKernels
import LatheTensors

/// Every parameter and buffer of a model, laid out flat: registration order, groups contiguous,
/// 64-byte aligned.
///
/// Gradients and the moments of optimizers use the same offsets, so reduction, optimizers and
/// checkpoints work on ranges. A model creates its parameters through ``Scope``s; ``layOut()`` then
/// gives them memory and values.
public final class ParameterStore {
  /// In registration order, groups contiguous once laid out.
  public private(set) var parameters: [Parameter] = []
  /// In registration order.
  public private(set) var buffers: [Buffer] = []
  private let random: RandomSource
  private var names: Set<String> = []
  private var arenas: (parameters: Arena, buffers: Arena)?
  private var groups: [String: Range<Int>] = [:]
  /// All parameters as variables, by where their gradients go.
  private var variables: [UnsafeMutablePointer<Float>: [Tensor]] = [:]
  /// Those of the slice that runs now.
  private var boundVariables: [Tensor] = []

  /// An empty store whose parameters will be drawn from (`seed`, their name).
  public init(seed: UInt64) { random = RandomSource(seed: seed).derived("parameters") }

  /// The scope that all others are parts of.
  public var root: Scope { Scope(store: self, path: "") }

  /// Flat values of all parameters.
  public var values: Arena { laidOut.parameters }
  /// Flat values of all buffers.
  public var bufferValues: Arena { laidOut.buffers }

  private var laidOut: (parameters: Arena, buffers: Arena) {
    guard let arenas else { trap("ParameterStore: not laid out yet") }
    return arenas
  }

  /// Names of the groups: the first components of the paths, in registration order.
  public var groupNames: [String] {
    var seen: Set<String> = []
    return parameters.map { ParameterStore.group(of: $0.name) }.filter { seen.insert($0).inserted }
  }

  /// Number of trained values, all groups or one; padding between parameters not counted.
  public func parameterCount(of group: String? = nil) -> Int {
    parameters.filter { group == nil || ParameterStore.group(of: $0.name) == group }
      .reduce(0) { $0 + $1.shape.count }
  }

  /// Bytes that parameters and buffers take, whether they are laid out or not; `Int.max` if there
  /// are more.
  public var byteCount: Int {
    let shapes = parameters.map(\.shape) + buffers.map(\.shape)
    let size = shapes.reduce(0.0) { sum, shape in
      sum + 4 * shape.sizes.reduce(1.0) { $0 * Double($1) }
    }
    return Int(exactly: size.rounded()) ?? .max
  }

  /// Where a group's parameters lie.
  public func range(of group: String) -> Range<Int> {
    guard let range = groups[group] else {
      trap("ParameterStore: no group \(group), only \(groups.keys.sorted())")
    }
    return range
  }

  static func group(of name: String) -> String { String(name.prefix { $0 != "." }) }

  // MARK: Creating

  func add(_ parameter: Parameter) {
    claim(parameter.name)
    parameters.append(parameter)
  }

  func add(_ buffer: Buffer) {
    claim(buffer.name)
    buffers.append(buffer)
  }

  private func claim(_ name: String) {
    require(arenas == nil, "\(name): created after the parameters were laid out")
    require(names.insert(name).inserted, "\(name): created twice")
  }

  /// Gives every parameter and buffer its memory and first values.
  public func layOut() {
    require(arenas == nil, "ParameterStore: laid out twice")
    let order = groupNames
    parameters = order.flatMap { group in
      parameters.filter { ParameterStore.group(of: $0.name) == group }
    }
    var end = 0
    for group in order {
      let start = end
      for parameter in parameters where ParameterStore.group(of: parameter.name) == group {
        parameter.range = ParameterStore.place(parameter.shape.count, after: &end)
      }
      groups[group] = start..<end
    }
    var bufferEnd = 0
    for buffer in buffers {
      buffer.range = ParameterStore.place(buffer.shape.count, after: &bufferEnd)
    }
    arenas = (Arena(count: end), Arena(count: bufferEnd))
    drawValues()
    StoragePool.trim()
  }

  /// The next range on a 64-byte boundary.
  private static func place(_ count: Int, after end: inout Int) -> Range<Int> {
    let start = end
    end += (count + 15) / 16 * 16
    return start..<start + count
  }

  private func drawValues() {
    for parameter in parameters {
      let tensor = parameter.initializer.draw(parameter.shape, from: random.derived(parameter.name))
      parameter.current = Tensor(values.storage(parameter.range), shape: parameter.shape)
      parameter.value.storage.pointer.update(
        from: tensor.storage.pointer, count: tensor.shape.count)
    }
    for buffer in buffers {
      let tensor = buffer.initializer.draw(buffer.shape, from: random.derived(buffer.name))
      buffer.current = Tensor(bufferValues.storage(buffer.range), shape: buffer.shape)
      buffer.value.storage.pointer.update(from: tensor.storage.pointer, count: tensor.shape.count)
    }
  }

  // MARK: Training

  /// Keeps the parameters in other memory from now on, with the values that they have, or with
  /// those that are there.
  ///
  /// Tensors read from parameters before keep the old memory.
  public func move(to memory: Arena, copying: Bool) {
    require(memory.count == values.count, "ParameterStore: \(values.count) into \(memory.count)")
    if copying { memory.pointer.update(from: values.pointer, count: values.count) }
    arenas = (memory, bufferValues)
    variables = [:]
    for parameter in parameters {
      parameter.current = Tensor(memory.storage(parameter.range), shape: parameter.shape)
    }
  }

  /// Makes the parameters of `groups` variables whose gradients are added up in `gradients`, and
  /// has what the forward pass measures for running statistics added up in `statisticsUpdates`.
  ///
  /// Both are flat, with this store's offsets, and are kept alive by `owner`. The updates start
  /// from zero. The same `gradients` always give the same variables.
  public func bindGradientBuffers(
    of groups: [String], gradients: UnsafeMutablePointer<Float>,
    statisticsUpdates: UnsafeMutablePointer<Float>, owner: AnyObject
  ) {
    boundVariables = variables(into: gradients, owner)
    makeVariables(groups)
    LatheKernels.fill(statisticsUpdates, with: 0, count: bufferValues.count)
    for buffer in buffers {
      buffer.statisticsUpdates = Storage(
        statisticsUpdates + buffer.range.lowerBound, count: buffer.range.count, owner: owner)
      buffer.statisticsUpdateCount = 0
    }
  }

  private func variables(
    into gradients: UnsafeMutablePointer<Float>, _ owner: AnyObject
  ) -> [Tensor] {
    if let known = variables[gradients] { return known }
    let made = parameters.map { parameter in
      parameter.value.differentiable(
        into: Storage(
          gradients + parameter.range.lowerBound, count: parameter.range.count, owner: owner))
    }
    variables[gradients] = made
    return made
  }

  private func makeVariables(_ groups: [String]) {
    for (parameter, variable) in zip(parameters, boundVariables)
    where groups.contains(ParameterStore.group(of: parameter.name)) {
      parameter.current = variable
    }
  }

  /// Runs `body` with the parameters of `groups` variables too, whatever is being differentiated.
  ///
  /// Its result can be differentiated later, when the gradients of `groups` go to the same memory.
  public func withVariables<Result>(of groups: [String], _ body: () -> Result) -> Result {
    let former = parameters.map(\.current)
    makeVariables(groups)
    defer { for (parameter, value) in zip(parameters, former) { parameter.current = value } }
    return body()
  }

  /// The gradient buffers of one slice, so that several slices can take turns.
  public struct BoundBuffers {
    fileprivate let values: [Tensor?]
    fileprivate let variables: [Tensor]
    fileprivate let statisticsUpdates: [(storage: Storage?, count: Int)]
  }

  /// The variables and statistics updates of the slice that runs now.
  public var boundBuffers: BoundBuffers {
    get {
      BoundBuffers(
        values: parameters.map(\.current), variables: boundVariables,
        statisticsUpdates: buffers.map { ($0.statisticsUpdates, $0.statisticsUpdateCount) })
    }
    set {
      for (parameter, value) in zip(parameters, newValue.values) { parameter.current = value }
      boundVariables = newValue.variables
      for (buffer, kept) in zip(buffers, newValue.statisticsUpdates) {
        (buffer.statisticsUpdates, buffer.statisticsUpdateCount) = (kept.storage, kept.count)
      }
    }
  }

  /// The parameters of `groups`.
  public func parameters(of groups: [String]) -> [Parameter] {
    parameters.filter { groups.contains(ParameterStore.group(of: $0.name)) }
  }

  /// The parameters of `groups`, as they are now.
  public func variables(of groups: [String]) -> [Tensor] { parameters(of: groups).map(\.value) }

  /// Makes every parameter a constant again; running statistics are no longer measured.
  public func unbindGradientBuffers() {
    for parameter in parameters { parameter.current = parameter.value.detached }
    for buffer in buffers { buffer.statisticsUpdates = nil }
  }

  /// Updates the running statistics that were measured, by the sum over `slices` slices of what
  /// they measured: momentum · old + (1 − momentum) · mean.
  public func updateRunningStatistics(from updates: UnsafePointer<Float>, slices: Int) {
    for buffer in buffers where buffer.statisticsUpdateCount > 0 {
      let value = buffer.value.storage.pointer
      let share = Float((1 - buffer.momentum) / Double(slices * buffer.statisticsUpdateCount))
      let count = buffer.shape.count
      LatheKernels.affine(value, scale: Float(buffer.momentum), offset: 0, value, count: count)
      LatheKernels.accumulate(
        updates + buffer.range.lowerBound, scale: share, into: value, count: count)
      buffer.statisticsUpdateCount = 0
    }
  }

  /// Sets to zero what an update made negative where that is not allowed, among the values of a
  /// range.
  public func applyConstraints(in range: Range<Int>) {
    for parameter in parameters
    where parameter.constraint == .nonNegative && parameter.range.overlaps(range) {
      let moved = parameter.range.clamped(to: range)
      let value = values.pointer + moved.lowerBound
      LatheKernels.clamp(value, from: 0, to: .infinity, value, count: moved.count)
    }
  }
}
