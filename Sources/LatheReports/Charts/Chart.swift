/// A figure with a title and axes, drawn by gnuplot as PNG or SVG.
public struct Chart: Sendable {
  /// A point of the plane.
  public typealias Point = (x: Double, y: Double)

  /// Points with a name in the legend; an empty name is left out of it.
  public struct Series: Sendable {
    public var name: String
    public var points: [Point]

    public init(_ name: String, points: [Point]) { (self.name, self.points) = (name, points) }
  }

  /// What is drawn between the axes.
  public enum Content: Sendable {
    /// Points of each series joined in their order.
    case curves([Series])
    /// A dot for each point, a colour for each series.
    case scatter([Series])
    /// A dot for each point, its colour by its value; `label` says what the values are.
    case shaded([Point], values: [Double], label: String)
    /// A square for each value, row-major `[rows, columns]`, the first row on top; blue below zero,
    /// red above. Colours end at ±`limit`, the largest magnitude if nil.
    case heatMap(values: [Double], columns: Int, label: String, limit: Double? = nil)
  }

  /// How numbers are spaced along an axis.
  public enum Scale: Sendable {
    case linear, logarithmic

    /// Logarithmic for values that are all above zero and span more than a factor of ten.
    public static func fitting(_ series: [Series]) -> Scale {
      let values = series.flatMap(\.points).map(\.y).filter(\.isFinite)
      guard let low = values.min(), let high = values.max() else { return .linear }
      return low > 0 && high > 10 * low ? .logarithmic : .linear
    }
  }

  public var title: String
  /// What the axes show, with units where they have any.
  public var xLabel, yLabel: String
  public var content: Content
  /// The extent of an axis; nil for that of the data.
  public var xRange, yRange: ClosedRange<Double>?
  public var yScale = Scale.linear

  public init(title: String, xLabel: String, yLabel: String, _ content: Content) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.content = content
  }
}
