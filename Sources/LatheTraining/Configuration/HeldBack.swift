import LatheData
import LatheNN

extension DataSettings {
  /// Which training images are held back for validation.
  public enum HeldBack: String, SettingChoice {
    /// One from each of as many equal parts of the training images, by (seed, part).
    case spread
    /// The last ones, as earlier versions did: all of the last class, where classes lie together.
    case last

    /// The images that remain for training, and the `count` for validation, each in their order.
    public func divided(_ images: ImageSet, _ count: Int, seed: UInt64) -> (
      train: ImageSet, validation: ImageSet
    ) {
      let numbers =
        self == .spread
        ? images.heldBack(count, seed: seed) : Array(images.count - count..<images.count)
      let chosen = Set(numbers)
      let rest = (0..<images.count).filter { !chosen.contains($0) }
      return (images.part(rest, as: .train), images.part(numbers, as: .validation))
    }
  }
}
