import LatheNN

// What models check before they are built.

/// Why sides that are halved `halvings` times do not suit a network, if they do not.
func sideProblem(_ images: ImageShape, halvings: Int) -> String? {
  let unit = 1 << halvings
  guard images.height % unit != 0 || images.width % unit != 0 else { return nil }
  return "expected images whose sides are multiples of \(unit), found \(images)"
}

/// The first of some sizes that is not positive, as a problem.
func sizeProblem(_ sizes: KeyValuePairs<String, Int>) -> String? {
  sizes.first { $0.value < 1 }.map { "\($0.key): expected at least 1, found \($0.value)" }
}

/// The first of some rates and weights that is negative or not finite, as a problem.
func rateProblem(_ rates: KeyValuePairs<String, Float>) -> String? {
  rates.first { !($0.value >= 0 && $0.value.isFinite) }
    .map { "\($0.key): expected a finite number of at least 0, found \($0.value)" }
}
