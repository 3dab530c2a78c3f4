/// The lines of a method, which give names to what several lines use.
///
/// A function of what the line before gave goes around it, if nothing else uses it.
struct PythonMethod {
  private var lines: [(variable: String, expression: PythonExpression)] = []
  private var variables: [Int: String]
  /// Uses of each result that are still to come.
  private var uses: [Int]
  /// The result of the last line.
  private var last: Int?
  private var free = ["t", "s", "r", "w", "v", "u", "z", "y", "x"]

  init(inputs: [(place: Int, name: String)], uses: [Int]) {
    variables = Dictionary(uniqueKeysWithValues: inputs.map { ($0.place, $0.name) })
    self.uses = uses
  }

  /// The expression for a result: its variable, or with `nesting` the line before if that can go.
  mutating func take(_ result: Int, nesting: Bool) -> PythonExpression {
    if nesting, result == last, uses[result] == 1, lines.last!.expression.text.count < 70 {
      let line = lines.removeLast()
      release(line.variable)
      last = nil
      return line.expression
    }
    let name = variables[result]!
    uses[result] -= 1
    if uses[result] == 0 { release(name) }
    return PythonExpression(name)
  }

  private mutating func release(_ name: String) {
    if name.count == 1 { free.append(name) }
  }

  mutating func add(_ result: Int, _ expression: PythonExpression) {
    let variable = free.popLast() ?? "t\(result)"
    variables[result] = variable
    lines.append((variable, expression))
    last = result
  }

  /// The method's body, which returns a result.
  mutating func body(returning result: Int) -> [String] {
    let value = take(result, nesting: true)
    return lines.map { "\($0.variable) = \($0.expression.text)" } + ["return \(value.text)"]
  }
}
