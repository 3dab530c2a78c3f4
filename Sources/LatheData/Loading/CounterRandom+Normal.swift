import Glibc

extension CounterRandom {
  /// A standard normal number (Box and Muller, 1958), made of the bits of draws 2·`draw` and
  /// 2·`draw` + 1.
  package func normal(_ draw: Int) -> Double {
    let radius = (-2 * log(1 - uniform(2 * draw))).squareRoot()
    return radius * cos(2 * Double.pi * uniform(2 * draw + 1))
  }
}
