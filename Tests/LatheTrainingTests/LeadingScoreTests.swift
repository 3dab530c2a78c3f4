import LatheMetrics
import LatheNN
import LatheTraining
import Testing

/// The score by which checkpoints are compared.
@Suite struct LeadingScoreTests {
  @Test func names() throws {
    let features = Pixels()
    let usual = try LeadingScore(nil, of: [.fid], features: features)
    #expect(usual.name == "generation/pixel-distance" && !usual.isHigherBetter)
    let similarity = try LeadingScore("reconstruction/ssim", of: [.ssim], features: features)
    #expect(similarity.isHigherBetter)
    for name in ["posterior/pixel-distance", "latent/frechet"] {
      let score = try LeadingScore(name, of: [.posterior, .gap], features: features)
      #expect(!score.isHigherBetter)
    }
    // Neither more nor fewer dimensions are better.
    #expect(throws: SettingError.self) {
      _ = try LeadingScore("latent/two-nn", of: [.dimension], features: features)
    }
    #expect(throws: SettingError.self) {
      _ = try LeadingScore("reconstruction/ssim", of: [.error, .fid], features: features)
    }
    #expect(throws: SettingError.self) {
      _ = try LeadingScore("fid", of: EvaluationSettings.Metric.allCases, features: features)
    }
  }
}
