import LatheMetrics
import Testing

struct FeaturesTests {
  @Test func rowsAreVectors() {
    let features = Features([1, 2, 3, 4, 5, 6], dimensions: 2)
    #expect(features.count == 3)
    #expect(Array(features[1]) == [3, 4])
    #expect(features[rows: [2, 0]] == Features([5, 6, 1, 2], dimensions: 2))
    #expect((features[rows: [0]] + features[rows: [1]]).values == [1, 2, 3, 4])
  }
}
