import LatheData
import LatheFiles
import LatheNN
import SystemPackage
import func TestSupport.fileError
import Testing

/// Images and vectors in files as NumPy writes them.
@Suite struct ArrayImagesTests {
  let folder = TemporaryFolder()

  private func path(_ name: String) -> FilePath { folder.path.appending(name) }

  private func levels(_ shape: [Int], from start: Int = 0) -> [UInt8] {
    (0..<shape.reduce(1, *)).map { UInt8(truncatingIfNeeded: start + $0 * 7) }
  }

  /// An `.npz` file of arrays of bytes and labels.
  private func write(
    _ name: String, images: [(String, [Int])], labels: [(String, [Int64])] = []
  ) throws -> FilePath {
    let arrays =
      images.map { NumPyWriter.Array($0.0, .uint8, $0.1) }
      + labels.map { NumPyWriter.Array($0.0, .int64, [$0.1.count]) }
    let writer = try NumPyWriter(path(name), arrays)
    for (place, image) in images.enumerated() {
      try writer.append(levels(image.1, from: place), to: place)
    }
    for (place, own) in labels.enumerated() { try writer.append(own.1, to: images.count + place) }
    try writer.finish()
    return path(name)
  }

  private func floats(_ name: String, _ shape: [Int], _ values: [Float]) throws -> FilePath {
    let writer = try NumPyWriter(path(name), [.init("x", .float32, shape)])
    try writer.append(values)
    try writer.finish()
    return path(name)
  }

  /// A `.npy` file of any header, with these bytes after it.
  private func raw(_ name: String, _ header: String, _ bytes: [UInt8]) throws -> FilePath {
    let text = Array((header + "\n").utf8)
    let start = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count), 0]
    try FileSystem.replace(path(name), with: start + text + bytes)
    return path(name)
  }

  @Test func kerasPartsAndLabels() throws {
    let file = try write(
      "mnist.npz", images: [("x_train", [12, 4, 5]), ("x_test", [3, 4, 5])],
      labels: [("y_train", (0..<12).map { $0 % 4 }), ("y_test", [1, 0, 3])])
    let set = try Dataset.arrays(at: file)
    #expect(set.shape == ImageShape(height: 4, width: 5, channels: 1) && !set.isVectors)
    #expect(set.splits == [.train, .test] && set.classNames == ["0", "1", "2", "3"])
    let (train, test) = (try set.load(.train), try set.load(.test))
    #expect(train.count == 12 && test.count == 3 && test.labels == [1, 0, 3])
    #expect(train.bytes(of: 11) == Array(levels([12, 4, 5])[(11 * 20)...]))
    #expect(test.values(of: 1)[0] == Float(levels([3, 4, 5], from: 1)[20]) / 255)
    // What is equal has an equal digest, wherever it lies.
    let own = ImageSet(
      images: levels([3, 4, 5], from: 1), shape: set.shape, labels: [1, 0, 3],
      classNames: set.classNames)
    #expect(own.digest == test.digest)
    #expect(throws: FileError.self) { try set.load(.validation) }
  }

  @Test func withoutPartsEveryTenthIsForTesting() throws {
    let file = try write("x.npz", images: [("arr_0", [25, 2, 2, 3])])
    let set = try Dataset.arrays(at: file)
    let (train, test) = (try set.load(.train), try set.load(.test))
    #expect(train.count == 23 && test.count == 2)
    #expect(test.bytes(of: 0) == Array(levels([25, 2, 2, 3])[(9 * 12)..<(10 * 12)]))
    #expect(set.notes.contains { $0.contains("every tenth") })
    let all = try ArrayImages(file).images(nil, range: .unit)
    #expect(all.count == 25)
    let few = try Dataset.arrays(at: write("few.npz", images: [("x", [9, 2, 2])]))
    #expect(try few.splits == [.train] && few.load(.train).count == 9)
  }

  @Test func vectorsAreSharesOfTheirRange() throws {
    let values = (0..<60).map { Float($0) / 10 - 2 }
    let set = try Dataset.arrays(at: floats("v.npy", [12, 5], values))
    #expect(set.isVectors && set.arrayShape == [5] && set.range == ValueRange(-2, 3.9))
    let train = try set.load(.train)
    let expected = values[5..<10].map { ($0 + 2) / (Float(3.9) + 2) }
    #expect(train.values(of: 1) == expected)
    let back = set.range!.values(of: train.values(of: 1))
    #expect(zip(back, values[5..<10]).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(!train.hasLevels && train.part([1], as: .train).values(of: 0) == expected)
    let again = Dataset.arrays(of: [5], range: set.range!)!
    #expect(try again.load(.train, at: path("v.npy")).digest == train.digest)
  }

  /// Big-endian doubles in Fortran's order are the same images.
  @Test func otherLayoutsAreConverted() throws {
    let values = (0..<24).map { Double($0) / 32 }
    let shape = "'shape': (2, 3, 4), }"
    let order = (0..<24).map { ($0 % 2) * 12 + $0 / 2 % 3 * 4 + $0 / 6 }
    let bytes = order.flatMap { place in
      withUnsafeBytes(of: values[place].bitPattern.bigEndian) { Array($0) }
    }
    let file = try raw("f.npy", "{'descr': '>f8', 'fortran_order': True, \(shape)", bytes)
    let set = try ArrayImages(file).images(nil, range: .unit)
    #expect((0..<2).flatMap { set.values(of: $0) } == values.map { Float($0) })
    let levels = try raw(
      "u.npy", "{'descr': '|u1', 'fortran_order': True, \(shape)", order.map { UInt8($0) })
    let images = try ArrayImages(levels).images(nil, range: .unit)
    #expect((0..<2).flatMap { images.bytes(of: $0) } == (0..<24).map { UInt8($0) })
  }

  @Test func loadsInThePlaceOfOwnFiles() throws {
    let file = try write(
      "mnist.npz", images: [("x_train", [11, 28, 28]), ("x_test", [2, 28, 28])],
      labels: [("y_train", [Int64](repeating: 3, count: 11)), ("y_test", [9, 0])])
    let test = try Dataset.fashionMNIST.load(.test, at: file)
    #expect(test.name == "fashion-mnist" && test.classNames == Dataset.fashionMNIST.classNames)
    #expect(test.labels == [9, 0])
    #expect(fileError { try Dataset.cifar10.load(.test, at: file) }?.kind == .damaged)
  }

  @Test func faultsHaveAPlaceAndAReason() throws {
    func fault(_ body: () throws -> FilePath) throws -> String {
      let file = try body()
      let error = fileError { try Dataset.arrays(at: file).load(.train) }
      #expect(error?.kind == .damaged, "\(file)")
      return error.map { "\($0)" } ?? ""
    }
    #expect(
      try fault { try write("a.npz", images: [("x", [4, 2, 2]), ("data", [4, 2, 2])]) }
        .contains("data (uint8 [4, 2, 2])"))
    #expect(
      try fault { try write("b.npz", images: [("x", [4, 3, 8, 8])]) }.contains("np.transpose"))
    #expect(
      try fault { try write("c.npz", images: [("x", [4, 2, 2])], labels: [("y", [0, 1])]) }
        .contains("labels: expected [4]"))
    func order(_ type: String) -> String { "{'descr': '\(type)', 'fortran_order': False, 'shape':" }
    let bad: [Float] = [0, 1, 0.5, .nan, 1, 1]
    #expect(try fault { try floats("d.npy", [3, 2], bad) }.contains("[1, 1]"))
    #expect(try fault { try floats("e.npy", [2, 1, 3], [0, 1, 2, 0, 1, 0]) }.contains("[0, 2]"))
    #expect(
      try fault { try raw("g.npy", "\(order("<f4")) (9, 9), }", []) }
        .contains("0 bytes"))
    #expect(
      try fault { try raw("h.npy", "\(order("|O")) (2, 2), }", []) }
        .contains("Python objects"))
  }

  /// Labels that an image set cannot hold are left out, and a line says so.
  @Test func labelsOfManyClassesAreLeftOut() throws {
    let file = try write("x.npz", images: [("x", [2, 2, 2])], labels: [("y", [0, 999])])
    let set = try Dataset.arrays(at: file)
    #expect(set.classNames.isEmpty && set.notes.contains { $0.contains("999") })
    #expect(try set.load(.train).labels == [0, 0])
  }

  /// Whatever is in a file, it is read or refused.
  @Test func mutatedFilesAreReadOrRefused() throws {
    let file = try write(
      "x.npz", images: [("x_train", [3, 2, 2])], labels: [("y_train", [0, 1, 2])])
    let whole = try OpenFile(reading: file).contents()
    var random = SplitMix(state: 7)
    for _ in 0..<2000 {
      var bytes = whole
      for _ in 0..<1 + Int(random.next() % 3) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      try FileSystem.replace(file, with: bytes, isSynced: false)
      _ = try? Dataset.arrays(at: file).load(.train).values(of: 0)
    }
  }
}

private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
