import Foundation
import LatheModels
import TestSupport
import LatheTensors
import Testing

@Suite struct SamplerTests {
  private func golden(_ name: String = "mixture") throws -> Golden {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return try Golden(folder.appending(path: "Mixture/\(name).safetensors").path)
  }

  private func doubles(_ tensor: Tensor) -> [Double] { tensor.values.map { Double($0) } }

  private func codes(_ golden: Golden) throws -> CodeShares {
    CodeShares(doubles(try golden.tensor("codes")), latentSize: 5)
  }

  private func start(_ golden: Golden) throws -> GaussianMixture {
    let identity: [Double] = (0..<25).map { $0 % 6 == 0 ? 1 : 0 }
    return try #require(
      GaussianMixture(
        weights: doubles(try golden.tensor("start.weights")),
        means: doubles(try golden.tensor("start.means")),
        covariances: identity + identity + identity))
  }

  /// L Lᵀ of each component, one after another.
  private func covariances(_ mixture: GaussianMixture) -> [Float] {
    let m = mixture.latentSize
    var result: [Float] = []
    for component in 0..<mixture.count {
      let start = component * m * m
      for row in 0..<m {
        for column in 0..<m {
          var sum = 0.0
          for k in 0..<m {
            let left: Double = mixture.factors[start + row * m + k]
            let right: Double = mixture.factors[start + column * m + k]
            sum += left * right
          }
          result.append(Float(sum))
        }
      }
    }
    return result
  }

  @Test func aMixtureFromTheSameStartIsThatOfScikitLearn() throws {
    let golden = try golden()
    let (mixture, bound, rounds) = try start(golden).improved(
      on: codes(golden), GaussianMixture.Fitting())
    #expect("\(rounds)" == golden.metadata["rounds"])
    let expected = try golden.tensor("lower_bound").values[0]
    #expect(abs(Float(bound) - expected) < 1e-5)
    expectClose(
      mixture.weights.map { Float($0) }, try golden.tensor("weights").values, relative: 1e-5)
    expectClose(
      mixture.means.map { Float($0) }, try golden.tensor("means").values, relative: 1e-5)
    expectClose(
      covariances(mixture), try golden.tensor("covariances").values, relative: 1e-5)
    let all = doubles(try golden.tensor("codes"))
    for (index, value) in try golden.tensor("log_likelihood").values.enumerated() {
      let one = CodeShares(Array(all[index * 5..<index * 5 + 5]), latentSize: 5)
      #expect(abs(Float(try mixture.logLikelihood(of: one)) - value) < 1e-4, "code \(index)")
    }
  }

  @Test func aDirichletMixtureFromTheSameClustersIsThatOfScikitLearn() throws {
    let golden = try golden("dirichlet")
    let (rows, centres) = (try golden.tensor("codes"), try golden.tensor("centres"))
    let codes = CodeShares(doubles(rows), latentSize: rows.shape[1])
    var fitting = DirichletMixture.Fitting()
    fitting.components = centres.shape[0]
    for (prefix, rounds) in [("early.", 3), ("", 100)] {
      fitting.mostRounds = rounds
      let (fitted, bound, made) = try DirichletMixture.fitted(
        to: codes, from: doubles(centres), fitting)
      #expect("\(made)" == (rounds == 3 ? "3" : golden.metadata["rounds"]))
      expectClose(
        [Float(bound)], try golden.tensor("\(prefix)lower_bound").values, relative: 1e-6)
      expectClose(
        fitted.mixture.weights.map { Float($0) }, try golden.tensor("\(prefix)weights").values,
        relative: 1e-5)
      expectClose(
        fitted.mixture.means.map { Float($0) }, try golden.tensor("\(prefix)means").values,
        relative: 1e-5)
      guard prefix.isEmpty else { continue }
      expectClose(
        covariances(fitted.mixture), try golden.tensor("covariances").values, relative: 1e-5)
    }
    fitting.concentration = 1
    let other = try DirichletMixture.fitted(to: codes, from: doubles(centres), fitting)
      .mixture.mixture
    #expect(
      difference(
        other.weights.map { Float($0) }, try golden.tensor("weights").values, relative: 1e-4)
        != nil)
  }

  /// Of ten components on three clusters, those that are not called for have no weight to speak
  /// of; a saved one draws the same, under its name.
  @Test func aDirichletMixtureLeavesComponentsOut() throws {
    let random = RandomSource(seed: 3)
    let noise = random.normal("noise", [3000, 2]).values
    let values = noise.indices.map { Double(0.5 * noise[$0]) + Double($0 / 2 % 3) * 9 }
    let codes = CodeShares(values, latentSize: 2)
    let fitted = try DirichletMixture.fitted(to: codes, using: random)
    #expect(fitted.mixture.count == 10)
    let largest = fitted.mixture.weights.sorted(by: >)
    #expect(largest[..<3].allSatisfy { $0 > 0.1 } && largest[3...].reduce(0, +) < 0.2)
    let saved = Dictionary(uniqueKeysWithValues: fitted.tensors.map { ($0.name, $0.value) })
    let again = try DirichletMixture { saved[$0]! }.sampler
    #expect(again.name == .dirichletGMM)
    #expect(again.draw(20, random).values == fitted.sampler.draw(20, random).values)
    #expect {
      try DirichletMixture { _ in Tensor(filledWith: -1, shape: [3]) }
    } throws: { "\($0)".hasPrefix("sampler dirichlet-gmm: weights") }
  }

  @Test func anotherRegularizationIsSeen() throws {
    let golden = try golden()
    var fitting = GaussianMixture.Fitting()
    fitting.regularization = 1e-3
    let (mixture, _, _) = try start(golden).improved(on: codes(golden), fitting)
    let expected = try golden.tensor("covariances").values
    #expect(difference(covariances(mixture), expected, relative: 1e-5) != nil)
  }

  /// k-means++ and EM find clusters that are far apart, and draws come back with their means and
  /// spreads.
  @Test func clustersAreFoundAndDrawnAgain() throws {
    let random = RandomSource(seed: 3)
    let noise = random.normal("noise", [3000, 2]).values
    let centres: [[Double]] = [[10, 0], [-10, 5], [0, -20]]
    var values: [Double] = []
    for index in 0..<6000 {
      let centre: Double = centres[index / 2 % 3][index % 2]
      values.append(centre + 0.5 * Double(noise[index]))
    }
    var fitting = GaussianMixture.Fitting()
    fitting.components = 3
    let mixture = try GaussianMixture.fitted(
      to: CodeShares(values, latentSize: 2), fitting, using: random)
    let third = 1.0 / 3
    for weight in mixture.weights { #expect(abs(weight - third) < 1e-6) }
    let drawn = mixture.sampler.draw(9000, random).values.map { Double($0) }
    for centre in centres {
      var near: [[Double]] = []
      for index in 0..<9000 {
        let code = [drawn[2 * index], drawn[2 * index + 1]]
        if abs(code[0] - centre[0]) < 4 && abs(code[1] - centre[1]) < 4 { near.append(code) }
      }
      #expect(abs(near.count - 3000) < 200)
      for axis in 0..<2 {
        let values = near.map { $0[axis] }
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.map { ($0 - mean) * ($0 - mean) }
        let spread = (squares.reduce(0, +) / Double(values.count)).squareRoot()
        #expect(abs(mean - centre[axis]) < 0.1)
        #expect(abs(spread - 0.5) < 0.05)
      }
    }
  }

  @Test func aSavedMixtureDrawsTheSame() throws {
    let golden = try golden()
    let random = RandomSource(seed: 4)
    let mixture = try GaussianMixture.fitted(to: codes(golden), using: random)
    #expect(mixture.count == 10)
    let saved = Dictionary(uniqueKeysWithValues: mixture.tensors.map { ($0.name, $0.value) })
    let again = try GaussianMixture { saved[$0]! }
    #expect(again.sampler.draw(20, random).values == mixture.sampler.draw(20, random).values)
  }

  @Test func aCodeOfTheAggregatedPosteriorIsOneOfTheCodes() throws {
    let codes = CodeShares((0..<400).map { Double($0 / 2) }, latentSize: 2)
    let random = RandomSource(seed: 5)
    let drawn = try AggregatedPosterior.fitted(to: codes, using: random).sampler.draw(1000, random)
      .values
    let firsts = stride(from: 0, to: 2000, by: 2).map { drawn[$0] }
    #expect(stride(from: 0, to: 2000, by: 2).allSatisfy { drawn[$0] == drawn[$0 + 1] })
    #expect(Set(firsts).isSubset(of: (0..<200).map { Float($0) }))
    #expect(Set(firsts).count > 180)
  }

  @Test func unfitCodesAreNamed() throws {
    let random = RandomSource(seed: 6)
    #expect(throws: SamplerError.self) {
      try GaussianMixture.fitted(to: CodeShares([1, 2, 3], latentSize: 1), using: random)
    }
    var values = (0..<100).map { Double($0 * $0 % 37) }
    values[50] = .nan
    #expect(throws: SamplerError.self) {
      try GaussianMixture.fitted(to: CodeShares(values, latentSize: 2), using: random)
    }
    #expect(throws: SamplerError.self) {
      try DirichletMixture.fitted(to: CodeShares(values, latentSize: 2), using: random)
    }
    #expect(throws: SamplerError.self) {
      try AggregatedPosterior.fitted(to: CodeShares(values, latentSize: 2), using: random)
    }
  }
}
