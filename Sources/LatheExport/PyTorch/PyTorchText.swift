/// The Python file of a program, `model.py`.
struct PyTorchText {
  let program: PyTorchProgram
  let facts: ExportFacts

  var text: String {
    let helpers = [Self.tree] + spectral
    return ([head] + helpers + [network, Self.load(facts.typeName)])
      .joined(separator: "\n\n\n") + "\n"
  }

  private var head: String {
    let (h, w, c) = (facts.images.height, facts.images.width, facts.images.channels)
    let (images, codes) = ("[N, \(h), \(w), \(c)] in [0, 1]", "[N, \(facts.latentSize)]")
    let lines = facts.lines.map { "\($0.key): \($0.value)" }.joined(separator: "\n")
    return """
      \"""\(facts.typeName) in PyTorch, with the weights of `model.safetensors` beside this file.

          from model import load

          model = load()                # in inference mode
          codes = model.encode(images)  # \(images) → \(codes)
          images = model.decode(codes)  # \(codes) → \(images)

      Images are float32 [N, height, width, channels], as in lathe; layers have PyTorch's order.
      \(facts.sampling)

      \(lines)
      \"""

      from pathlib import Path

      import torch
      import torch.nn.functional as F
      from safetensors.torch import load_file
      from torch import nn
      """
  }

  private static let tree = """
    def parameter(*shape):
        return nn.Parameter(torch.empty(shape))


    def constant(*shape):
        return nn.Parameter(torch.empty(shape), requires_grad=False)


    def tree(**parts):
        \"""A module of named layers and parameters.\"""
        module = nn.Module()
        for name, part in parts.items():
            setattr(module, name, part)
        return module
    """

  private var network: String {
    let assignments = program.modules.assignments.map { "        " + $0 }
    let methods = program.methods.flatMap { [""] + $0.map { "    " + $0 } }
    return
      ([
        "class \(facts.typeName)(nn.Module):", "    def __init__(self):",
        "        super().__init__()",
      ] + assignments + methods).joined(separator: "\n")
  }

  private static func load(_ type: String) -> String {
    """
    def load(path=Path(__file__).with_name("model.safetensors")):
        \"""The trained networks; the file has weights that only training needs, too.\"""
        model = \(type)()
        tensors = load_file(path)
        names = [name for name in model.state_dict() if not name.endswith("num_batches_tracked")]
        model.load_state_dict({name: tensors[name] for name in names})
        return model.eval()
    """
  }

  // MARK: Spectral normalization

  private var spectral: [String] {
    let layers = program.spectralLayers.sorted()
    return layers.isEmpty ? [] : [Self.normalized] + layers.map { Self.spectralLayer($0) }
  }

  private static let normalized = """
    def normalized(weight, u):
        \"""The weight divided by its largest singular value, by one power iteration from u.

        Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018.
        \"""
        matrix = weight.flatten(1)
        v = F.normalize(u @ matrix, dim=0)
        left = F.normalize(matrix @ v, dim=0)
        return weight / (left @ matrix @ v)
    """

  private static func spectralLayer(_ kind: String) -> String {
    """
    class Spectral\(kind)(nn.\(kind)):
        def __init__(self, *sizes, **options):
            super().__init__(*sizes, **options)
            self.register_buffer("u", torch.empty(self.weight.shape[0]))

        def forward(self, x):
            weight = normalized(self.weight, self.u)
            return \(call(kind))
    """
  }

  private static func call(_ kind: String) -> String {
    switch kind {
    case "Conv2d": "self._conv_forward(x, weight, self.bias)"
    case "Linear": "F.linear(x, weight, self.bias)"
    default:
      "F.conv_transpose2d(\n            x, weight, self.bias, self.stride, self.padding, "
        + "self.output_padding)"
    }
  }
}
