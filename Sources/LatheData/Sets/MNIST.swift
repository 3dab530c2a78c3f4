import LatheNN

extension Dataset {
  /// Handwritten digits: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to
  /// Document Recognition", Proc. IEEE 1998.
  public static let mnist = Dataset(
    name: "mnist",
    summary: "handwritten digits, 28 × 28 grey",
    shape: ImageShape(height: 28, width: 28, channels: 1),
    officialCounts: [.train: 60_000, .test: 10_000],
    classNames: (0...9).map(String.init),
    origin: .files(
      FileOrigin(
        systemFolders: [], subfolders: ["raw", "MNIST/raw", "MNIST", "mnist"],
        instructions: """
          To get it: lathe data get mnist. Or put the four files train-images-idx3-ubyte.gz, \
          train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and \
          t10k-labels-idx1-ubyte.gz into data/mnist or the folder mnist below $LATHE_DATA, or \
          name their folder
          """,
        names: IDXPair.names, read: IDXPair.read)))
}
