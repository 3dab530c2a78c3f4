import LatheFiles
import LatheNN
import Testing

private enum Kind: String, SettingChoice {
  case crossEntropy = "cross-entropy"
  case plain
  static let synonyms: [String: Kind] = ["bernoulli": .crossEntropy]
}

private struct Inner: SettingGroup {
  @Setting("Images in a step.", bounds: .atLeast(1)) var batchSize = 128
  @Setting("May be left out.", bounds: .optional(.atLeast(2)), identity: .ranks) var part: Int?
}

private struct Outer: Codable {
  var inner = Inner()
  @Setting("The kind.") var kind = Kind.plain
  @Setting("A rate.", bounds: .moreThan(0)) var rate: Float = 0.5
  @Setting("Widths.", bounds: .oneOrMore(.atLeast(1))) var widths = [3, 4]
  @Setting("A folder.") var folder: String?
  var bare = 7
}

@Suite struct SettingTests {
  private func list() throws -> SettingList<Outer> { try SettingList(of: Outer(), .kebabCase) }

  private func error(_ given: [String: JSONValue]) throws -> String? {
    do { _ = try list().configuration(with: given) } catch { return "\(error)" }
    return nil
  }

  @Test func eachFieldIsDescribedOnce() throws {
    let list = try list()
    #expect(list.names == ["batch-size", "part", "kind", "rate", "widths", "folder", "bare"])
    #expect(list["batch-size"]?.help == "Images in a step.")
    #expect(list["batch-size"]?.defaultValue == .int(128))
    #expect(list["batch-size"]?.expectation == "a whole number, at least 1")
    #expect(list["part"]?.defaultValue == .null)
    #expect(list["part"]?.identity == .ranks)
    #expect(list["kind"]?.allowedValues == ["cross-entropy", "plain"])
  }

  @Test func whatIsGivenReplacesDefaults() throws {
    let given: [String: JSONValue] = [
      "batch-size": .int(64), "kind": .string("Bernoulli"), "widths": .int(9),
      "folder": .int(2026), "bare": .int(8), "part": .int(3),
    ]
    let outer = try list().configuration(with: given)
    #expect(outer.inner.batchSize == 64 && outer.inner.part == 3)
    #expect(outer.kind == .crossEntropy)
    #expect(outer.widths == [9] && outer.folder == "2026" && outer.bare == 8)
    #expect(outer.rate == 0.5)
  }

  @Test func valuesComeBackByName() throws {
    let values = try list().values(of: list().configuration(with: ["rate": .double(0.25)]))
    #expect(values["rate"] == .double(0.25))
    #expect(values["batch-size"] == .int(128))
    #expect(values["kind"] == .string("plain"))
    #expect(values["folder"] == .null)
  }

  @Test func aMessageHasTheValueThatWasGiven() throws {
    #expect(
      try error(["batch-size": .int(-1)])
        == "batch-size: expected a whole number, at least 1, found -1")
    #expect(
      try error(["batch-size": .double(2.5)])
        == "batch-size: expected a whole number, at least 1, found 2.5")
    #expect(
      try error(["rate": .double(.nan)]) == "rate: expected a finite number, more than 0, found nan"
    )
    #expect(
      try error(["kind": .string("normal")])
        == "kind: expected one of cross-entropy, plain, found normal")
    #expect(
      try error(["widths": .array([.int(1), .int(0)])])
        == "widths: expected a list such as [64, 64], one or more, each at least 1, found [1, 0]")
    #expect(try error(["part": .int(1)]) == "part: expected a whole number, at least 2, found 1")
    #expect(try error(["part": .null]) == nil)
    #expect(try error(["no": .int(1)])?.hasPrefix("no: expected one of the settings bare,") == true)
  }
}
