import Foundation
import LatheFiles

/// Curves as an inline SVG figure for a page: no script, no fonts or files of its own; colours come
/// from the page, so that they suit light and dark.
struct LineChart {
  // Letters keep their size on narrow screens, where the rest shrinks to half.
  private static let size = (width: 640.0, height: 300.0)
  private static let margin = (left: 76.0, right: 16.0, top: 10.0, bottom: 54.0)
  /// Points of a curve beyond which it is thinned out.
  private static let mostPoints = 400

  let series: [Chart.Series]
  let xLabel: String
  var yScale = Chart.Scale.linear

  /// The figure; nil if there is nothing to draw.
  var svg: String? {
    let curves = series.map { Chart.Series($0.name, points: Self.thinned($0.points).map(scaled)) }
    let points = curves.flatMap(\.points)
    guard let x = Self.extent(points.map(\.x)), let y = Self.extent(points.map(\.y)) else {
      return nil
    }
    let (width, height) = Self.size
    var parts = [
      "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" aria-label=\"curves\">"
    ]
    parts += grid(x, y)
    for (number, curve) in curves.enumerated() where !curve.points.isEmpty {
      let path = curve.points.map { place($0, x, y) }.joined(separator: " ")
      parts.append("<polyline class=\"c\(number % 6)\" points=\"\(path)\"/>")
    }
    return (parts + ["</svg>"]).joined(separator: "\n")
  }

  private func grid(_ x: ClosedRange<Double>, _ y: ClosedRange<Double>) -> [String] {
    let (width, height) = Self.size
    let (left, right, _, bottom) = Self.margin
    let isLogarithmic = yScale == .logarithmic
    let lines = (isLogarithmic ? Self.powers(y) : Self.ticks(y)).flatMap { value in
      let at = Self.number(vertical(isLogarithmic ? log10(value) : value, y))
      return [
        "<line class=\"g\" x1=\"\(left)\" x2=\"\(width - right)\" y1=\"\(at)\" y2=\"\(at)\"/>",
        "<text x=\"\(left - 6)\" y=\"\(at)\" dy=\"0.35em\" text-anchor=\"end\">"
          + "\(Self.label(value))</text>",
      ]
    }
    let below = Self.ticks(x).map { value in
      "<text x=\"\(Self.number(horizontal(value, x)))\" y=\"\(height - bottom + 22)\" "
        + "text-anchor=\"middle\">\(Self.label(value))</text>"
    }
    return lines + below + [
      "<text x=\"\(width - right)\" y=\"\(height - 4)\" text-anchor=\"end\">"
        + "\(escapedForXML(xLabel.printable))</text>"
    ]
  }

  /// A point as it is placed: on a logarithmic axis by the logarithm.
  private func scaled(_ point: Chart.Point) -> Chart.Point {
    yScale == .logarithmic ? (point.x, log10(point.y)) : point
  }

  private func place(
    _ point: Chart.Point, _ x: ClosedRange<Double>, _ y: ClosedRange<Double>
  ) -> String {
    "\(Self.number(horizontal(point.x, x))),\(Self.number(vertical(point.y, y)))"
  }

  private func horizontal(_ value: Double, _ range: ClosedRange<Double>) -> Double {
    let room = Self.size.width - Self.margin.left - Self.margin.right
    return Self.margin.left + room * (value - range.lowerBound) / Self.length(range)
  }

  private func vertical(_ value: Double, _ range: ClosedRange<Double>) -> Double {
    let room = Self.size.height - Self.margin.top - Self.margin.bottom
    return Self.margin.top + room * (range.upperBound - value) / Self.length(range)
  }

  // MARK: Numbers

  private static func length(_ range: ClosedRange<Double>) -> Double {
    range.upperBound - range.lowerBound
  }

  /// The range of finite numbers; a tenth of its size around a single one.
  private static func extent(_ values: [Double]) -> ClosedRange<Double>? {
    let finite = values.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return nil }
    let room = high > low ? 0 : high == 0 ? 1 : abs(high) * 0.1
    return low - room...high + room
  }

  /// Means of equal parts of a long curve.
  private static func thinned(_ points: [Chart.Point]) -> [Chart.Point] {
    let finite = points.filter { $0.x.isFinite && $0.y.isFinite }
    guard finite.count > mostPoints else { return finite }
    return (0..<mostPoints).map { part in
      let own = finite[part * finite.count / mostPoints..<(part + 1) * finite.count / mostPoints]
      let count = Double(own.count)
      return (own.reduce(0) { $0 + $1.x } / count, own.reduce(0) { $0 + $1.y } / count)
    }
  }

  /// Four to eight round numbers within the range.
  static func ticks(_ range: ClosedRange<Double>) -> [Double] {
    let rough = length(range) / 5
    let power = pow(10, floor(log10(rough)))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? rough
    return Array(
      stride(
        from: (range.lowerBound / step).rounded(.up), through: (range.upperBound / step), by: 1)
    ).map { $0 * step }
  }

  /// Powers of ten within a range of logarithms, with their twos and fives where these are few.
  static func powers(_ range: ClosedRange<Double>) -> [Double] {
    let exponents = Int(range.lowerBound.rounded(.down))...Int(range.upperBound.rounded(.up))
    let values = exponents.flatMap { power in [1, 2, 5].map { $0 * pow(10, Double(power)) } }
    let (all, tens) = (values, values.enumerated().filter { $0.offset % 3 == 0 }.map(\.element))
    return (length(range) < 3 ? all : tens).filter { range.contains(log10($0)) }
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

  /// Short: 0.25, 12000, 5e-4.
  static func label(_ value: Double) -> String {
    guard value != 0, !(1e-3..<1e5).contains(abs(value)) else {
      return String(format: "%.6g", value)
    }
    let parts = String(format: "%.2e", value).split(separator: "e")
    return "\(Double(parts[0])!)e\(Int(parts[1])!)".replacing(".0e", with: "e")
  }
}
