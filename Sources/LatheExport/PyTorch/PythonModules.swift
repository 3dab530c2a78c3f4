/// Modules and parameters of a Python program by their paths, in the order in which they came.
struct PythonModules {
  private var parts: [(name: String, part: Part)] = []

  private indirect enum Part {
    /// The expression that makes a layer or a parameter.
    case expression(String)
    case tree(PythonModules)

    var text: String? { if case .expression(let text) = self { text } else { nil } }
  }

  /// Adds the part at a path, `encoder.conv0`; the same part may come again.
  ///
  /// - Throws: ``ExportError`` if something else is there.
  mutating func add(_ path: some Collection<Substring>, _ expression: String) throws(ExportError) {
    let (name, rest) = (String(path.first!), path.dropFirst())
    let place = parts.firstIndex { $0.name == name }
    guard !rest.isEmpty else {
      if let place, parts[place].part.text != expression { throw taken(name) }
      if place == nil { parts.append((name, .expression(expression))) }
      return
    }
    var inner = PythonModules()
    if let place {
      guard case .tree(let there) = parts[place].part else { throw taken(name) }
      inner = there
    }
    try inner.add(rest, expression)
    if let place { parts[place].part = .tree(inner) } else { parts.append((name, .tree(inner))) }
  }

  private func taken(_ name: String) -> ExportError {
    ExportError("\(name): two parts of the network have the name, which PyTorch cannot have")
  }

  /// Lines `self.encoder = tree(…)`.
  var assignments: [String] {
    parts.flatMap { name, part -> [String] in
      switch part {
      case .expression(let text): ["self.\(name) = \(text)"]
      case .tree(let inner): ["self.\(name) = tree("] + inner.arguments + [")"]
      }
    }
  }

  /// Lines `conv0=nn.Conv2d(…),`.
  private var arguments: [String] {
    parts.flatMap { name, part -> [String] in
      switch part {
      case .expression(let text): ["    \(name)=\(text),"]
      case .tree(let inner):
        ["    \(name)=tree("] + inner.arguments.map { "    " + $0 } + ["    ),"]
      }
    }
  }
}
