import LatheFiles
import LatheKernels
import Synchronization

// Reverse-mode differentiation.
//
// A node remembers the operation that made a tensor: its inputs' nodes and a rule that turns the
// gradient of the output into gradients of the inputs. Rules are written in operations, so a
// gradient is a tensor like any other and can be differentiated again. Nodes are numbered as they
// are made, which is a topological order.

/// Where a rule writes a gradient, or adds it.
struct GradientTarget {
  let storage: Storage
  var adds = false
}

/// What a rule is given: the gradient of the output, and which inputs' gradients are asked for.
struct Pullback {
  /// Gradient of the result with respect to the operation's output.
  let gradient: Tensor
  /// Whether the graph is not used again.
  fileprivate let isLast: Bool
  /// Whether nobody else holds the gradient's memory.
  fileprivate let ownsGradient: Bool
  fileprivate let keptOutput: Tensor?
  fileprivate let wanted: [Bool]
  fileprivate let gradientBuffers: [GradientTarget?]

  /// The operation's output, for rules recorded with `keepingOutput`.
  var output: Tensor {
    guard let keptOutput else { trap("Pullback: the output was not kept") }
    return keptOutput
  }

  /// Whether the gradient of input `index` is asked for.
  func needs(_ index: Int) -> Bool { wanted[index] }

  /// The gradient of input `index` if it is asked for.
  func callAsFunction(_ index: Int, _ gradient: () -> Tensor) -> Tensor? {
    wanted[index] ? gradient() : nil
  }

  /// Storage for a gradient of the shape of `gradient`, entry by entry: the same memory if nobody
  /// else needs it.
  var inPlace: Storage {
    ownsGradient ? gradient.storage : Storage(count: gradient.shape.count)
  }

  /// Storage for the gradient of input `index`: the parameter's own where it can be written
  /// directly.
  func destination(_ index: Int, count: Int) -> Storage {
    if let gradientBuffer = gradientBuffers[index], !gradientBuffer.adds {
      return gradientBuffer.storage
    }
    return Storage(count: count)
  }

  /// Storage for the gradient of a kept operand that nothing reads any more: the operand's own if
  /// this graph alone held it.
  func storage(replacing operand: KeptOperand) -> Storage {
    isLast ? operand.release() : Storage(count: operand.tensor.shape.count)
  }

  /// The same for rules that can add to what the parameter's own storage holds of earlier
  /// contributions.
  func target(_ index: Int, count: Int) -> GradientTarget {
    gradientBuffers[index] ?? GradientTarget(storage: Storage(count: count))
  }

  /// The same for the gradient of a kept operand that nothing reads any more.
  func target(_ index: Int, replacing operand: KeptOperand) -> GradientTarget {
    gradientBuffers[index] ?? GradientTarget(storage: storage(replacing: operand))
  }
}

/// An operand that a rule keeps, whose memory the operand's own gradient may take.
final class KeptOperand {
  private var storage: Storage
  private let shape: Shape
  private let node: Node?

  init(_ operand: Tensor) {
    (storage, shape, node) = (operand.storage, operand.shape, operand.node)
  }

  var tensor: Tensor { Tensor(storage, shape, node: node) }

  /// The operand's memory if nobody else holds it, otherwise new memory of its size.
  func release() -> Storage {
    isKnownUniquelyReferenced(&storage) && storage.isPooled ? storage : Storage(count: shape.count)
  }
}

final class Node {
  typealias Rule = (Pullback) -> [Tensor?]

  let order: UInt64
  let gradientBuffer: Storage?
  private(set) var inputs: [Node?]
  private var rule: Rule?
  private var output: (storage: Storage, shape: Shape)?

  private static let made = Atomic<UInt64>(0)

  init(gradientBuffer: Storage? = nil) {
    order = Node.nextOrder()
    inputs = []
    self.gradientBuffer = gradientBuffer
  }

  init(inputs: [Node?], output: (Storage, Shape)?, rule: @escaping Rule) {
    order = Node.nextOrder()
    gradientBuffer = nil
    self.inputs = inputs
    self.output = output
    self.rule = rule
  }

  private static func nextOrder() -> UInt64 { made.add(1, ordering: .relaxed).newValue }

  var isLeaf: Bool { inputs.isEmpty }

  func pull(
    _ gradient: Tensor, isOwned: Bool, isLast: Bool, wanted: [Bool],
    gradientBuffers: [GradientTarget?]
  ) -> [Tensor?] {
    guard let rule else { trap("gradients: this graph was already consumed") }
    let kept = output.map { Tensor($0.storage, $0.shape, node: self) }
    return rule(
      Pullback(
        gradient: gradient, isLast: isLast, ownsGradient: isOwned, keptOutput: kept,
        wanted: wanted, gradientBuffers: gradientBuffers))
  }

  /// Lets go of what the rule had kept.
  func consume() {
    rule = nil
    output = nil
  }

  // Long chains are freed in a loop; freed by nested deinits they would overflow the stack.
  deinit {
    var pending = inputs.compactMap { $0 }
    inputs = []
    rule = nil
    while var node = pending.popLast() {
      guard isKnownUniquelyReferenced(&node) else { continue }
      pending += node.inputs.compactMap { $0 }
      node.inputs = []
      node.rule = nil
    }
  }
}

/// Whether operations remember how to be differentiated.
enum Recording {
  @TaskLocal static var isEnabled = true
}

/// Runs `body` without recording its operations: their results are constants.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  try Recording.$isEnabled.withValue(false, operation: body)
}

/// Runs `body` with its operations recorded, inside of ``withoutGradients(_:)`` too.
public func withGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  try Recording.$isEnabled.withValue(true, operation: body)
}

/// A tensor with the rule that differentiates it; a constant when no input is differentiable. A
/// trace is told the operation.
///
/// The rule returns a gradient for each input, nil where none flows or none was asked for.
func record(
  _ storage: Storage, _ shape: Shape, _ operation: @autoclosure () -> Operation,
  from inputs: [Tensor], keepingOutput: Bool = false, rule: @escaping (Pullback) -> [Tensor?]
) -> Tensor {
  Trace.current?.note(operation(), inputs, Tensor(storage, shape, node: nil))
  guard inputs.contains(where: { $0.node != nil }), Recording.isEnabled else {
    return Tensor(storage, shape, node: nil)
  }
  let node = Node(
    inputs: inputs.map(\.node), output: keepingOutput ? (storage, shape) : nil, rule: rule)
  return Tensor(storage, shape, node: node)
}

/// Gradients of the sum of `y`'s elements with respect to each of `variables`, shaped like them.
///
/// They are tensors of the same graph and can be differentiated again. A variable that `y` does not
/// depend on has a gradient of zeros.
public func gradients(of y: Tensor, withRespectTo variables: [Tensor]) -> [Tensor] {
  gradients(of: y, withRespectTo: variables, holding: nil)
}

/// The same with `held` taken for a constant in this differentiation, though not in a further one.
func gradients(of y: Tensor, withRespectTo variables: [Tensor], holding held: Tensor?) -> [Tensor] {
  for variable in variables {
    require(
      variable.isDifferentiable, "gradients: a variable of shape \(variable.shape) is a constant")
  }
  guard let root = y.node else { return variables.map { Tensor(filledWith: 0, shape: $0.shape) } }
  var sweep = BackwardSweep(
    from: root, to: variables.compactMap(\.node), holding: held?.node, consuming: false)
  let found = sweep.run(seed: Tensor(filledWith: 1, shape: y.shape))
  return variables.map {
    found[ObjectIdentifier($0.node!)] ?? Tensor(filledWith: 0, shape: $0.shape)
  }
}

/// Writes `scale` times the gradient of scalar `loss` to the gradientBuffer of each of `variables`;
/// consumes the graph.
///
/// `variables` were made by ``Tensor/differentiable(into:)``. The graph of `loss` cannot be used
/// afterwards: what its rules had kept is released as the sweep passes. `finished` is told the
/// place of each variable as soon as its gradient will not change any more, once for each, in an
/// order that the graph decides.
public func backpropagate(
  _ loss: Tensor, scale: Float = 1, into variables: [Tensor],
  finished: (_ variable: Int) -> Void = { _ in }
) {
  require(loss.shape.count == 1, "backpropagate: the loss has shape \(loss.shape)")
  var places: [ObjectIdentifier: Int] = [:]
  for (place, variable) in variables.enumerated() {
    require(
      variable.node?.gradientBuffer != nil, "backpropagate: \(variable.shape) has no gradientBuffer"
    )
    places[ObjectIdentifier(variable.node!)] = place
  }
  func deliver(_ place: Int, _ gradient: Tensor?) {
    let gradientBuffer = variables[place].node!.gradientBuffer!
    if let gradient, gradient.storage !== gradientBuffer {
      gradientBuffer.pointer.update(from: gradient.pointer, count: gradientBuffer.count)
    } else if gradient == nil {
      LatheKernels.fill(gradientBuffer.pointer, with: 0, count: gradientBuffer.count)
    }
    finished(place)
  }
  withoutGradients {
    if let root = loss.node {
      var sweep = BackwardSweep(
        from: root, to: variables.compactMap(\.node), holding: nil, consuming: true)
      sweep.run(seed: Tensor(filledWith: scale, shape: loss.shape)) { node, gradient in
        if let place = places.removeValue(forKey: node) { deliver(place, gradient) }
      }
    }
    for place in places.values.sorted() { deliver(place, nil) }
  }
}

/// One pass over a graph from a result back to its variables.
private struct BackwardSweep {
  let consuming: Bool
  let targets: Set<ObjectIdentifier>
  /// Nodes between the result and a target, latest first.
  let path: [Node]
  let useful: Set<ObjectIdentifier>
  var pending: [ObjectIdentifier: Tensor] = [:]
  /// For each target, contributions to its gradient that may still come.
  var awaited: [ObjectIdentifier: Int] = [:]

  init(from root: Node, to variables: [Node], holding held: Node?, consuming: Bool) {
    self.consuming = consuming
    let targets = Set(variables.map { ObjectIdentifier($0) })
    let nodes = BackwardSweep.reachable(from: root, stoppingAt: held).sorted { $0.order < $1.order }
    var useful: Set<ObjectIdentifier> = []
    for node in nodes {
      let leads = node.inputs.contains { $0.map { useful.contains(ObjectIdentifier($0)) } ?? false }
      if leads || targets.contains(ObjectIdentifier(node)) { useful.insert(ObjectIdentifier(node)) }
    }
    self.targets = targets
    self.useful = useful
    path = nodes.reversed().filter { useful.contains(ObjectIdentifier($0)) }
    for case let input? in path.flatMap(\.inputs) where targets.contains(ObjectIdentifier(input)) {
      awaited[ObjectIdentifier(input), default: 0] += 1
    }
  }

  static func reachable(from root: Node, stoppingAt held: Node?) -> [Node] {
    var seen: Set<ObjectIdentifier> = [ObjectIdentifier(root)]
    if let held { seen.insert(ObjectIdentifier(held)) }
    var nodes = [root]
    var next = 0
    while next < nodes.count {
      for case let input? in nodes[next].inputs where seen.insert(ObjectIdentifier(input)).inserted
      {
        nodes.append(input)
      }
      next += 1
    }
    return nodes
  }

  /// Gradients of the targets that were reached; `finished` is told each as soon as it is complete.
  @discardableResult mutating func run(
    seed: Tensor, finished: (ObjectIdentifier, Tensor?) -> Void = { _, _ in }
  ) -> [ObjectIdentifier: Tensor] {
    guard let root = path.first else { return [:] }
    pending[ObjectIdentifier(root)] = seed
    if root.isLeaf { finished(ObjectIdentifier(root), seed) }
    for node in path where !node.isLeaf {
      let identity = ObjectIdentifier(node)
      let inputs = node.inputs.compactMap { $0.map { ObjectIdentifier($0) } }
      if targets.contains(identity) {
        if let gradient = pending[identity] { spread(gradient, isOwned: false, from: node) }
      } else if let gradient = pending.removeValue(forKey: identity) {
        spreadLast(gradient, from: node)
      }
      for input in inputs {
        guard let rest = awaited[input] else { continue }
        awaited[input] = rest - 1
        if rest == 1 { finished(input, pending[input]) }
      }
    }
    return pending.filter { targets.contains($0.key) }
  }

  /// Spreads a gradient that the sweep itself needs no more.
  private mutating func spreadLast(_ gradient: consuming Tensor, from node: Node) {
    let (shape, origin) = (gradient.shape, gradient.node)
    var storage = gradient.storage
    _ = consume gradient
    let isOwned = consuming && isKnownUniquelyReferenced(&storage) && storage.isPooled
    spread(Tensor(storage, shape, node: origin), isOwned: isOwned, from: node)
  }

  private mutating func spread(_ gradient: Tensor, isOwned: Bool, from node: Node) {
    let wanted = node.inputs.map { $0.map { useful.contains(ObjectIdentifier($0)) } ?? false }
    guard wanted.contains(true) else { return }
    let gradientBuffers = node.inputs.indices.map { gradientBuffer(of: $0, in: node) }
    let results = node.pull(
      gradient, isOwned: isOwned, isLast: consuming, wanted: wanted,
      gradientBuffers: gradientBuffers)
    if consuming { node.consume() }
    for (input, result) in zip(node.inputs, results) {
      guard let input, let result, useful.contains(ObjectIdentifier(input)) else { continue }
      add(result, to: input)
    }
  }

  /// The gradient buffer of a variable; what it holds of the gradient must not be overwritten.
  private func gradientBuffer(of index: Int, in node: Node) -> GradientTarget? {
    guard consuming, let input = node.inputs[index], let gradientBuffer = input.gradientBuffer
    else { return nil }
    guard node.inputs.firstIndex(where: { $0 === input }) == index else { return nil }
    guard let former = pending[ObjectIdentifier(input)] else {
      return GradientTarget(storage: gradientBuffer)
    }
    return former.storage === gradientBuffer
      ? GradientTarget(storage: gradientBuffer, adds: true) : nil
  }

  private mutating func add(_ gradient: Tensor, to node: Node) {
    let identity = ObjectIdentifier(node)
    guard let former = pending[identity] else {
      pending[identity] = gradient
      return
    }
    if former.storage === gradient.storage && former.storage === node.gradientBuffer { return }
    if let gradientBuffer = node.gradientBuffer, former.storage === gradientBuffer {
      Profile.measure(.elementwise) {
        LatheKernels.accumulate(
          gradient.pointer, into: gradientBuffer.pointer, count: gradientBuffer.count)
      }
    } else {
      pending[identity] = former + gradient
    }
  }
}

// MARK: Operations of one's own

/// Makes the result of an operation of one's own, whose gradient is known.
///
/// `values` are its result, computed by whatever means. `rule` gives the gradient of each input
/// from that of the result, or nil for an input that has none. A rule that is written in operations
/// can be differentiated again.
///
/// ```swift
/// func cosh(_ x: Tensor) -> Tensor {
///   let values = Storage(count: x.shape.count)
///   x.withValues { for (i, x) in $0.enumerated() { values.pointer[i] = Foundation.cosh(x) } }
///   return operation(values, shape: x.shape, from: x) { gradient, _ in [gradient * sinh(x)] }
/// }
/// ```
///
/// Shapes: `values` has as many numbers as `shape`; a gradient has its input's shape.
public func operation(
  _ values: Storage, shape: Shape, from inputs: Tensor...,
  rule: @escaping (_ gradient: Tensor, _ output: Tensor) -> [Tensor?]
) -> Tensor {
  require(
    values.count == shape.count, "operation: \(values.count) values for the shape \(shape)")
  let shapes = inputs.map(\.shape)
  return record(
    values, shape, .other("an operation of the program's own"), from: inputs, keepingOutput: true
  ) { pullback in
    let gradients = rule(pullback.gradient, pullback.output)
    require(
      gradients.count == shapes.count,
      "operation: \(gradients.count) gradients for \(shapes.count) inputs")
    for (gradient, shape) in zip(gradients, shapes) {
      require(
        gradient == nil || gradient!.shape == shape,
        "operation: a gradient of shape \(gradient!.shape) for an input of \(shape)")
    }
    return zip(gradients, gradients.indices).map { pullback.needs($1) ? $0 : nil }
  }
}

extension Tensor {
  /// Lends the numbers, last axis fastest, for reading.
  public func withValues<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows
    -> Result
  {
    Trace.current?.noteRead(self)
    return try withExtendedLifetime(storage) {
      try body(UnsafeBufferPointer(start: storage.pointer, count: shape.count))
    }
  }
}
