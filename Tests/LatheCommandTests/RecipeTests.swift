import Foundation
import LatheCommand
import LatheFiles
import LatheModels
import LatheNN
import LatheTraining
import SystemPackage
import TestSupport
import Testing

/// Recipes come from strangers.
@Suite struct RecipeTests {
  let scratch: Scratch
  var path: FilePath { scratch.path.appending("recipe.yml") }

  init() throws { scratch = try Scratch() }

  private func read(_ bytes: [UInt8]) throws -> RunOverlay {
    try write(bytes, to: path)
    return try Recipe.read(path.string)
  }

  private func refusal(_ text: String) -> CommandFailure? { refusal(Array(text.utf8)) }

  private func refusal(_ bytes: [UInt8]) -> CommandFailure? {
    do { _ = try read(bytes) } catch { return error as? CommandFailure }
    return nil
  }

  private static let bombs: [(name: String, text: String, says: String)] = {
    let flat = (0..<20_000).map { "k\($0): 1\n" }.joined()
    let nested = (0..<9).map { level in
      let inner = level == 0 ? "[x]" : "[" + repeated("*a\(level - 1)", 10) + "]"
      return "a\(level): &a\(level) \(inner)\n"
    }.joined()
    let keys = (1..<9).map { "b\($0): &b\($0) {? [*b\($0 - 1), *b\($0 - 1)] : 1}\n" }.joined()
    return [
      ("flat keys", flat, "expected at most 65536 bytes"),
      ("nested aliases", nested, "expected at most 16 aliases"),
      ("nested keys", "b0: &b0 [x]\n" + keys, "expected a word as a key"),
      ("deep lists", "a: " + String(repeating: "[", count: 5000), "not YAML"),
      ("deep lists that end", "a: " + brackets(900), "in 32 levels"),
      ("deep blocks", String(repeating: "- ", count: 30_000) + "x", "not YAML"),
      ("many values", "a: [" + repeated("1", 12_000) + "]", "expected at most 10000 values"),
      ("one long word", "data: " + String(repeating: "x", count: 1 << 20), "at most 65536 bytes"),
    ]
  }()

  private static func repeated(_ text: String, _ count: Int) -> String {
    [String](repeating: text, count: count).joined(separator: ",")
  }

  private static func brackets(_ count: Int) -> String {
    String(repeating: "[", count: count) + String(repeating: "]", count: count)
  }

  @Test(arguments: bombs) func aBombIsRefusedAtOnce(name: String, text: String, says: String) {
    let start = ContinuousClock.now
    let found = refusal(text)
    #expect(found?.status == 65 && found?.description.contains(says) == true, "\(name): \(found!)")
    #expect(ContinuousClock.now - start < .seconds(10), "\(name)")
  }

  @Test func aSparseFileIsNotRead() throws {
    try write([], to: path)
    #expect(truncate(path.string, 1 << 40) == 0)
    #expect(throws: CommandFailure.self) { try Recipe.read(path.string) }
  }

  private static let faults: [(text: String, says: String)] = [
    ("batch: 8\nsteps: 5\nbatch: 9\n", "line 1: the key 'batch' stands there twice"),
    ("log-every: 5\noutput:\n  log-every: 6\n", "log-every is given twice"),
    ("preview-every: 5\nsample-every: 6\n", "preview-every is given twice"),
    ("batch: 8\nstall-timeout: .nan\n", "line 2: stall-timeout: expected a finite number"),
    ("stall-timeout: -.inf\n", "line 1: stall-timeout: expected a finite number"),
    ("seed: 18446744073709551615\n", "line 1: seed: expected a whole number, 0 to 922337203685"),
    ("batch: 9223372036854775808\n", "line 1: batch: expected a whole number"),
    ("\n\nbach: 8\n", "line 3: unknown key 'bach'"),
    ("batch: 8\n---\nbatch: 9\n", "line 2"),
    ("batch: !!python/object:os.system 8\n", "line 1: the tag "),
    ("batch: *size\n", "line 1: "), ("batch: [8\n", "not YAML: line"),
    ("- batch\n", "expected a mapping"),
    ("batch: 020\n", "line 1: 020 is 16 to some readers of YAML"),
    ("batch: 8\nseed: 1:30\n", "line 2: 1:30 is 90 to some readers of YAML"),
  ]

  @Test(arguments: faults) func messagesNameLineAndKey(text: String, says: String) {
    let found = refusal(text)
    #expect(found?.status == 65)
    #expect(found?.description.contains(says) == true, "\(found?.description ?? "read")")
    #expect(found?.description.contains("recipe.yml") == true)
  }

  @Test func bytesThatAreNoTextAreNamed() {
    let found = refusal(Array("batch: 8\ndata: ".utf8) + [0xE9, 10])
    #expect(found?.status == 65)
    let says = "not YAML: line 2: expected UTF-8, found other bytes"
    #expect(found?.description.hasSuffix(says) == true)
  }

  @Test func anchorsAndMergedMappingsAreRead() throws {
    let text = """
      # ************ a comment ************
      configuration: &small {latentSize: 2, rate: 0.5}
      output: {<<: {log-every: 3, checkpoint-every: 4}, log-every: 5}
      data: "*/x"
      """
    let values = try read(Array(text.utf8)).values
    #expect(values["log-every"] == .int(5) && values["checkpoint-every"] == .int(4))
    #expect(values["configuration"] == .object(["latentSize": .int(2), "rate": .double(0.5)]))
    #expect(values["data"] == .string("*/x"))
  }

  /// Byte order marks, line ends of Windows, UTF-16; numbers as people write them.
  @Test func recipesOfOtherProgramsAreRead() throws {
    let text = "log-every: 1_000\r\nstall-timeout: 1e-4\r\nflip: yes\r\ndata: no\r\n"
    let expected: [String: JSONValue] = [
      "log-every": .int(1000), "stall-timeout": .double(1e-4), "flip": .bool(true),
      "data": .string("no"),
    ]
    #expect(try read(Array(text.utf8)).values == expected)
    #expect(try read([0xEF, 0xBB, 0xBF] + Array(text.utf8)).values == expected)
    let wide = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    #expect(try read([0xFF, 0xFE] + wide).values == expected)
  }

  /// Mutated recipes: settings, or one message with the file's name.
  @Test func mutatedRecipesAreReadOrRefused() throws {
    var run = RunConfiguration()
    (run.model.name, run.data.dataset) = ("vae", "mnist")
    run.model.configuration = .object(["latentSize": .int(3), "hidden": .array([.int(4)])])
    let original = Array(try Recipe.yaml(of: run).utf8)
    var random = Mutations(seed: 3)
    var accepted = 0
    for _ in 0..<Mutations.trials {
      do {
        let overlay = try read(random.mutated(original))
        _ = try overlay.configuration()
        accepted += 1
      } catch let error as CommandFailure {
        #expect(error.status == 65 && error.description.contains("recipe.yml"))
      } catch { #expect(error is SettingError || error is DecodingError, "\(error)") }
    }
    #expect(accepted > Mutations.trials / 50)
  }

  /// Numbers of any size in any hyperparameter: refused, or a model that can be built.
  @Test(arguments: ModelRegistry.standard.entries.map(\.name))
  func largeNumbersAreRefusedOrMeant(name: String) throws {
    let entry = try #require(ModelRegistry.standard[name])
    let images = ImageShape(height: 32, width: 32, channels: 1)
    let numbers = [Int.max, Int.max - 1, 1 << 62, 1 << 32, 1_000_000_000, 1_000_000, 0, -1, .min]
    for setting in try entry.settings(images, 100) {
      for number in numbers {
        for value in [JSONValue.int(number), .array([.int(number)]), .double(Double(number))] {
          try tryOut(entry, images, [setting.name: value], steps: 100)
        }
      }
    }
    for steps in numbers where steps > 0 { try tryOut(entry, images, [:], steps: steps) }
  }

  private func tryOut(
    _ entry: ModelRegistry.Entry, _ images: ImageShape, _ given: [String: JSONValue], steps: Int
  ) throws {
    do {
      let resolved = try entry.resolve(given, images, steps)
      let store = ParameterStore(seed: 0)
      let model = try entry.make(store.root, images, resolved)
      try store.requireMemory()
      #expect(!model.samplers.isEmpty || !type(of: model).fittedSamplers.isEmpty)
    } catch is SettingError {} catch is ConfigurationError {}
  }
}
