/// What a file is that somebody took for safetensors: weights of another program, or no weights.
struct OtherWeights {
  let kind: String
  /// How weights get from there to safetensors.
  let hint: String?

  /// Nil if the first bytes say nothing known.
  init?(_ file: MappedFile) {
    let start = Array(file.bytes.prefix(2048))
    if let known = Self.known(start, file.path.extension?.lowercased()) {
      (kind, hint) = known
    } else if let kind = contentKind(start) {
      let isPointer = kind.hasPrefix("a Git LFS pointer")
      (self.kind, hint) = (kind, isPointer ? "`git lfs pull` fetches the file itself" : nil)
    } else {
      return nil
    }
  }

  private static func known(_ start: [UInt8], _ ending: String?) -> (String, String?)? {
    func begins(_ bytes: [UInt8], at offset: Int = 0) -> Bool {
      start.count > offset && start[offset...].starts(with: bytes)
    }
    func begins(_ text: String, at offset: Int = 0) -> Bool {
      begins(Array(text.utf8), at: offset)
    }
    let resave = "Load it in its own program and save its tensors with the package safetensors"
    let convert =
      "For Inception's weights, launch/convert-inception makes one; else load it with torch.load "
      + "and save it with safetensors.torch.save_file"
    if begins("PK\u{3}\u{4}") || begins("PK\u{5}\u{6}") { return archive(start, convert, resave) }
    // Protocol 2 and up; an older PyTorch file is a row of these.
    if begins([0x80]), start.count > 1, (2...5).contains(start[1]) {
      return ("a pickle, as older PyTorch files are", convert)
    }
    if begins([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a]) {
      return ("an HDF5 file, as of Keras", resave)
    }
    if begins([0x93] + Array("NUMPY".utf8)) { return ("a NumPy array", resave) }
    if begins("GGUF") { return ("a GGUF file", resave) }
    if begins("TFL3", at: 4) { return ("a TensorFlow Lite model", resave) }
    if begins("MATLAB 5.0") { return ("a MAT-file of MATLAB", resave) }
    if ending == "onnx" { return ("an ONNX model", resave) }
    if ending == "pb" { return ("a TensorFlow graph", resave) }
    return json(start)
  }

  private static func archive(
    _ start: [UInt8], _ convert: String, _ resave: String
  ) -> (String, String?) {
    let text = String(decoding: start.map { $0 < 0x80 ? $0 : 0x2e }, as: UTF8.self)
    if text.contains("data.pkl") { return ("a PyTorch file", convert) }
    if text.contains(".npy") { return ("NumPy arrays (.npz)", resave) }
    if text.contains("config.json") { return ("a Keras model", resave) }
    return ("a zip archive", nil)
  }

  /// JSON as it lies beside weights: an index of the files that they are spread over.
  private static func json(_ start: [UInt8]) -> (String, String?)? {
    guard start.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") else { return nil }
    let text = String(decoding: start, as: UTF8.self)
    guard text.contains("weight_map") else { return ("JSON", nil) }
    return (
      "an index of weights in several files",
      "Join the files that it names: load each and save all tensors with safetensors"
    )
  }
}
