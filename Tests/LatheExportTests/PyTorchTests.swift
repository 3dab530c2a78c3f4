import LatheExport
import LatheModels
import LatheNN
import LatheTensors
import Testing

/// The PyTorch program and its weights.
@Suite struct PyTorchTests {
  private func bits(_ tensor: Tensor) -> [UInt32] { tensor.values.map(\.bitPattern) }

  /// The file has what the program names; read back, every parameter has the same bits, and so
  /// have the codes.
  @Test(arguments: Combination.all) func weightsComeBack(_ one: Combination) throws {
    let small = try SmallModel(one.model, one.networks, images: digits)
    let (program, tensors) = try small.exported().pyTorch(small.facts)
    let names = Set(tensors.map(\.name))
    let own = program[try #require(program.firstRange(of: "class Small")).lowerBound...]
    #expect(names.count == tensors.count)
    for path in own.matches(of: #/self\.((?:[a-z]\w*\.)+[a-z]\w*)[^\w(]/#).map(\.1) {
      let isMethod = ["permute", "flip"].contains(path.split(separator: ".").last!)
      // The part of a layer's path before its last dot.
      let isModule = names.contains { $0.hasPrefix("\(path).") }
      #expect(isMethod || isModule || names.contains(String(path)), "\(path)")
    }
    for path in own.matches(of: #/self\.((?:[a-z]\w*\.)+[a-z]\w*)\(/#).map(\.1) {
      let isMethod = path.hasSuffix(".permute") || path.hasSuffix(".reshape")
      #expect(isMethod || names.contains("\(path).weight"), "\(path)")
    }
    let other = try SmallModel(one.model, one.networks, images: digits, seed: 2)
    let values = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.values) })
    try other.store.setPyTorchValues { try #require(values[$0.name]) }
    for (mine, theirs) in zip(small.store.parameters, other.store.parameters) {
      #expect(bits(mine.value) == bits(theirs.value), "\(mine.name)")
    }
    let images = small.pictures(3)
    #expect(bits(small.model.encode(images)) == bits(other.model.encode(images)))
  }

  @Test func layouts() throws {
    let small = try SmallModel("flexae", "flexae-conv", images: digits)
    let tensors = try small.exported().pyTorch(small.facts).tensors
    let shapes = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.shape) })
    #expect(shapes["encoder.conv0.weight"] == [2, 1, 4, 4])  // [out, in, height, width]
    #expect(shapes["decoder.conv1.weight"] == [4, 2, 4, 4])  // [in, out, height, width]
    #expect(shapes["encoder.codes.weight"] == [4, 6])  // [out, in]
    #expect(shapes["encoder.norm0.weight"] == [4] && shapes["encoder.norm0.running_var"] == [4])
    #expect(shapes["critic.output.weight"] == [1, 5])
    #expect(shapes.keys.allSatisfy { !$0.hasSuffix("gamma") && !$0.hasSuffix("starting_share") })
    let weight = try #require(tensors.first { $0.name == "encoder.conv1.weight" }).values
    let own = try #require(small.store.parameters.first { $0.name == "encoder.conv1.weight" }).value
    // Row 1, column 2, input 0, output 3.
    let (exported, place) = (weight.values, ((3 * 2 + 0) * 4 + 1) * 4 + 2)
    let (kept, ownPlace) = (own.values, ((1 * 4 + 2) * 2 + 0) * 4 + 3)
    #expect(exported[place] == kept[ownPlace])
  }

  @Test func program() throws {
    let small = try SmallModel("flexae", "flexae-conv", images: digits)
    let program = try small.exported().pyTorch(small.facts).program
    for line in [
      "class Small(nn.Module):", "conv0=nn.Conv2d(1, 2, 4, stride=2, padding=1),",
      "norm0=nn.BatchNorm2d(4, eps=0.001, momentum=0.01),", "codes=nn.Linear(6, 4),",
      "conv1=nn.ConvTranspose2d(4, 2, 4, stride=2, padding=1),", "def encode(self, images):",
      "x = F.relu(self.encoder.conv0(x))", "def sample(self, noise):",
      "return x.permute(0, 2, 3, 1)",
    ] {
      #expect(program.contains(line), "\(line)")
    }
  }

  /// Zeros that differ stand before a convolution; too much of a transposed one is cut off.
  @Test func oddZeros() throws {
    let images = ImageShape(height: 64, width: 64, channels: 3)
    let small = try SmallModel("ae", "rae-conv", images: images)
    let program = try small.exported().pyTorch(small.facts).program
    #expect(program.contains("self.encoder.conv0(F.pad(x, (1, 2, 1, 2)))"))
    #expect(program.contains("self.decoder.conv0(x)[:, :, :16, :16]"))
  }

  /// A mask is no parameter: training in PyTorch leaves it.
  @Test func masksAreConstants() throws {
    let small = try SmallModel("vae-flow", "infogan", images: digits)
    let (program, tensors) = try small.exported().pyTorch(small.facts)
    #expect(program.contains("encoder0=constant(4, 5),"))
    #expect(tensors.contains { $0.name == "constants.encoder0" && $0.shape == [4, 5] })
    #expect(program.contains("conv0=SpectralConv2d(1, 2, 4, stride=2, padding=1),"))
    #expect(tensors.contains { $0.name == "encoder.conv0.u" && $0.shape == [2] })
  }
}
