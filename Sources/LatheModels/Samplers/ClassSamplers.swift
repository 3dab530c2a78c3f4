import LatheTensors

/// A sampler of a conditional model that is fitted to the codes of each class by itself.
///
/// Where labels are attributes there is one for all codes.
public struct ClassSamplers<Base: FittedSampler>: SavableSampler {
  public static var name: Sampler.Name { Base.name }

  /// By class.
  private let bases: [Int: Base]
  private let labels: CodeLabels

  /// Fits one to the codes of each class that has any; collective. Codes are followed by labels.
  public static func fitted(to codes: CodeShares, _ labels: CodeLabels, using random: RandomSource)
    throws -> ClassSamplers
  {
    let (m, areClasses) = (codes.latentSize - labels.size, labels.areClasses)
    var bases: [Int: Base] = [:]
    for number in 0..<(areClasses ? labels.size : 1) {
      let own = try codes.part(keeping: m) { !areClasses || $0[$0.startIndex + m + number] > 0.5 }
      guard own.count > 0 else { continue }
      bases[number] = try Base.fitted(to: own, using: random.derived(number))
    }
    return ClassSamplers(bases: bases, labels: labels)
  }

  private init(bases: [Int: Base], labels: CodeLabels) {
    (self.bases, self.labels) = (bases, labels)
  }

  public var tensors: [(name: String, value: Tensor)] {
    let numbers = bases.keys.sorted()
    let list = Tensor(numbers.map { Float($0) }, shape: [numbers.count])
    return [("classes", list)]
      + numbers.flatMap { number in
        bases[number]!.tensors.map { ("class\(number).\($0.name)", $0.value) }
      }
  }

  /// From what was saved, which `read` gives by name.
  ///
  /// - Throws: ``SamplerError`` if that is no such sampler, or what `read` throws.
  public init(_ labels: CodeLabels, reading read: (String) throws -> Tensor) throws {
    self.labels = labels
    let numbers = try Self.checked(try read("classes"), "classes", [0]).values
    bases = try numbers.reduce(into: [:]) { bases, number in
      guard let place = Int(exactly: number), (0..<labels.size).contains(place) else {
        throw SamplerError.unusable(
          Self.name, "classes: expected numbers below \(labels.size), found \(number)")
      }
      bases[place] = try Base { try read("class\(place).\($0)") }
    }
  }

  /// A class that had no codes has the sampler of the first one.
  public var sampler: Sampler {
    Sampler(Self.name, of: labels) { [labels, samplers = bases.mapValues(\.sampler)] rows, random in
      let first = samplers.min { $0.key < $1.key }!.value
      let classes = labels.classes(of: rows)
      let places = Dictionary(grouping: classes.indices) { classes[$0] }.sorted { $0.key < $1.key }
      let drawn = places.map { number, places in
        (samplers[number] ?? first).draw(places.count, random.derived(number))
      }
      var back = [Int](repeating: 0, count: classes.count)
      for (row, place) in places.flatMap(\.value).enumerated() { back[place] = row }
      return concatenated(drawn, axis: 0).gather(back)
    }
  }
}

extension CodeShares {
  /// The codes that are `wanted`, their first `size` numbers. Collective.
  func part(keeping size: Int, _ wanted: (ArraySlice<Double>) -> Bool) throws -> CodeShares {
    let shares = own.map { share in
      let rows = (0..<share.count).map {
        share.codes[$0 * latentSize..<(($0 + 1) * latentSize)]
      }.filter { wanted(ArraySlice($0)) }
      return Share(
        number: share.number, codes: rows.flatMap { Array($0.prefix(size)) }, latentSize: size)
    }
    let counts = try gather(shares.map { Double($0.count) })
    return CodeShares(
      count: Int(counts.reduce(0, +)), latentSize: size, own: shares, train: train, gather: gather)
  }
}
