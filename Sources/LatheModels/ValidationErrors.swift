import LatheNN

// What models check before they are built.

/// Why sides that are halved `halvings` times do not suit a network, if they do not.
func sidesError(_ images: ImageShape, halvings: Int) -> String? {
  let unit = 1 << halvings
  guard images.height % unit != 0 || images.width % unit != 0 else { return nil }
  return "expected images whose sides are multiples of \(unit), found \(images)"
}

/// The first of some sizes that is less than `minimum`.
func sizeError(_ sizes: KeyValuePairs<String, Int>, atLeast minimum: Int = 1) -> String? {
  sizes.first { $0.value < minimum }
    .map { "\($0.key): expected at least \(minimum), found \($0.value)" }
}

/// The first of some rates and weights that is negative or not finite.
func rateError(_ rates: KeyValuePairs<String, Float>) -> String? {
  rates.first { !($0.value >= 0 && $0.value.isFinite) }
    .map { "\($0.key): expected a finite number of at least 0, found \($0.value)" }
}
