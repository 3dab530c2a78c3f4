import Foundation
import LatheReports
import Testing

/// Pages that stand alone.
@Suite struct HTMLPageTests {
  private func page() -> HTMLPage {
    var page = HTMLPage(title: "a < b & \"c\"")
    page.heading("Scores")
    page.paragraph("<script>alert(1)</script>")
    page.table(head: ["name", "<i>"], [["x", "1"], ["y", "'2'"]])
    page.curves(
      "loss", [Chart.Series("run <1>", points: [(0, 2), (10, 1), (20, .nan), (30, 0.5)])],
      xLabel: "step")
    page.curves("nothing", [Chart.Series("empty", points: [])], xLabel: "step")
    return page
  }

  /// Nothing is left open or closed out of place.
  @Test func tagsAreClosed() throws {
    let text = page().text.replacing("<!DOCTYPE html>\n", with: "")
    let tags = Tags(text)
    #expect(tags.error == nil, "\(tags.error ?? "")")
  }

  /// The axis of a curve that stays where it is has numbers of its size.
  @Test(arguments: [(1e-4, "1e-4"), (-2.5, "-2.5"), (3e7, "3e7"), (0, "0")])
  func axesOfConstants(value: Double, label: String) {
    var page = HTMLPage(title: "constant")
    page.curves("rate", [Chart.Series("a", points: [(0, value), (9, value)])], xLabel: "step")
    #expect(page.text.contains(">\(label)</text>"), "\(page.text)")
    #expect(value == 0 || !page.text.contains(">0.1</text>"))
  }

  @Test func refersToNothingAndRunsNothing() {
    let text = page().text
    for word in ["http", "src=\"/", "@import", "url(", "<script", "<link"] {
      #expect(!text.contains(word), "\(word)")
    }
    #expect(text.contains("&lt;script&gt;alert(1)"))
  }

  /// A curve per series with points; what is not finite is left out.
  @Test func curves() {
    let text = page().text
    #expect(text.components(separatedBy: "<polyline").count == 2)
    let points = text.split(separator: "points=\"")[1].prefix { $0 != "\"" }
    #expect(points.split(separator: " ").count == 3)
    // From the left edge at the top to the right edge at the bottom.
    #expect(points.hasPrefix("76.0,10.0 ") && points.hasSuffix(" 624.0,246.0"))
  }

  /// On a logarithmic axis equal factors are equal lengths, and ticks are powers of ten.
  @Test func logarithmicAxes() {
    let series = [Chart.Series("a", points: [(0, 100), (1, 1), (2, 0.01)])]
    var page = HTMLPage(title: "log")
    page.curves("loss", series, xLabel: "step", yScale: .fitting(series))
    #expect(page.text.contains("points=\"76.0,10.0 350.0,128.0 624.0,246.0\""), "\(page.text)")
    for label in ["100", "10", "1", "0.1", "0.01"] {
      #expect(page.text.contains(">\(label)</text>"), "\(label)")
    }
    #expect(Chart.Scale.fitting([Chart.Series("", points: [(0, -1), (1, 100)])]) == .linear)
    #expect(Chart.Scale.fitting([Chart.Series("", points: [(0, 1), (1, 9)])]) == .linear)
  }
}

/// Whether the tags of a text are closed in their order.
private final class Tags {
  private(set) var error: String?

  init(_ text: String) {
    var open: [Substring] = []
    for tag in text.matches(of: /<(\/?)([A-Za-z0-9]+)([^<>]*?)(\/?)>/) {
      let (name, isClosing, isEmpty) = (tag.output.2, !tag.output.1.isEmpty, !tag.output.4.isEmpty)
      if isEmpty { continue }
      if !isClosing {
        open.append(name)
      } else if open.popLast() != name {
        error = error ?? "</\(name)> closes something else"
      }
    }
    if !open.isEmpty { error = error ?? "\(open) are not closed" }
  }
}
