import Foundation

/// Damages bytes in the ways in which files are damaged, by accident or on purpose; the same for
/// the same seed.
public struct Mutations: RandomNumberGenerator {
  /// Mutants of each kind: `LATHE_FUZZ` of them, 300 unless set.
  public static let trials =
    ProcessInfo.processInfo.environment["LATHE_FUZZ"].flatMap { Int($0) } ?? 300

  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  /// SplitMix64.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// One to three changes: bytes replaced, added, removed, doubled, or numbers made very large.
  public mutating func mutated(_ original: [UInt8]) -> [UInt8] {
    var bytes = original
    for _ in 0..<Int.random(in: 1...3, using: &self) where !bytes.isEmpty { change(&bytes) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    let place = Int.random(in: 0..<bytes.count, using: &self)
    let end = min(bytes.count, place + Int.random(in: 1...20, using: &self))
    switch Int.random(in: 0..<7, using: &self) {
    case 0: bytes[place] = UInt8.random(in: 0...255, using: &self)
    case 1: bytes.insert(UInt8.random(in: 0...255, using: &self), at: place)
    case 2: bytes.removeSubrange(place..<end)
    case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
    case 4: bytes.removeSubrange(place...)
    default:
      let number = Self.numbers.randomElement(using: &self)!
      let digit = bytes[place...].firstIndex { (0x30...0x39).contains($0) } ?? place
      bytes.replaceSubrange(digit...digit, with: number.utf8)
    }
  }

  /// Numbers that programs trip over.
  public static let numbers = [
    "0", "-1", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "18446744073709551615", "1000000000", "4294967296", "1e308", "1e999", "-0.0", ".nan", ".inf",
  ]
}
