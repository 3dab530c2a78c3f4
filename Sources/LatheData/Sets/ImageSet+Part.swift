import LatheFiles

extension ImageSet {
  /// The images of a range as a set of another split.
  public func part(_ range: Range<Int>, as split: Split) -> ImageSet {
    part(Array(range), as: split)
  }

  /// Images by number as a set of another split, in this order; their values are not copied.
  public func part(_ images: [Int], as split: Split) -> ImageSet {
    require(
      !images.isEmpty && images.allSatisfy { $0 >= 0 && $0 < count },
      "ImageSet \(name): images \(images.first ?? 0) … \(images.last ?? 0) of \(count)")
    return ImageSet(
      name: name, split: split, shape: shape, pixels: pixels, labels: images.map { labels[$0] },
      classNames: classNames, attributes: attributes?.part(images),
      identities: identities.map { persons in images.map { persons[$0] } },
      digest: digest(of: images), rows: images.map { rows?[$0] ?? $0 }
    ).with(factors: factors(of: images))
  }

  private func factors(of images: [Int]) -> [Float]? {
    guard let factors else { return nil }
    let width = factors.count / count
    return images.flatMap { factors[$0 * width..<($0 + 1) * width] }
  }

  /// The first `count` images of a fixed permutation, in the order that they have here: a smaller
  /// choice is part of a larger one.
  public func fixedChoice(_ count: Int) -> ImageSet {
    require(0 < count && count <= self.count, "ImageSet \(name): \(count) of \(self.count)")
    guard count < self.count else { return self }
    let permutation = Permutation(count: self.count, key: CounterRandom(seed: 0).stream(4))
    return part((0..<count).map { permutation[$0] }.sorted(), as: split)
  }

  /// The numbers of `count` different images in an order drawn by the seed; a smaller choice begins
  /// a larger one.
  public func randomNumbers(_ count: Int, seed: UInt64) -> [Int] {
    require(count >= 0 && count <= self.count, "ImageSet \(name): \(count) of \(self.count)")
    let order = Permutation(count: self.count, key: CounterRandom(seed: seed).stream(5))
    return (0..<count).map { order[$0] }
  }

  private func digest(of images: [Int]) -> String {
    var checksum = Self.startOfDigest(shape)
    for image in images { withBytes(image) { checksum.update($0) } }
    checksum.update(images.map { labels[$0] })
    if case .array(let records) = pixels, !records.isLevels {
      checksum.update(Array("\(records.range)".utf8))
    }
    return checksum.hexadecimal
  }

  /// The numbers of `count` images that are held back for validation: one from each of `count`
  /// equal parts of the set, drawn by (seed, part), so that every class that lies together has its
  /// share.
  public func heldBack(_ count: Int, seed: UInt64) -> [Int] {
    require(count > 0 && count <= self.count, "ImageSet \(name): \(count) of \(self.count)")
    let random = CounterRandom(seed: seed).stream(3)
    func start(_ part: Int) -> Int {
      let (high, low) = part.multipliedFullWidth(by: self.count)
      return count.dividingFullWidth((high, low)).quotient
    }
    return (0..<count).map { part in
      start(part) + random.integer(part, below: start(part + 1) - start(part))
    }
  }
}
