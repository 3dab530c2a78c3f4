/// A weight that grows in equal parts to 1 over the first `steps` steps; 1 throughout when there
/// are none.
public func warmUp(_ step: Int, over steps: Int) -> Float {
  steps == 0 ? 1 : min(1, Float(step + 1) / Float(steps))
}
