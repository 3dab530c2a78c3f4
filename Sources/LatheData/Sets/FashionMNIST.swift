import LatheNN

extension Dataset {
  /// Pictures of clothes in MNIST's format: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image
  /// Dataset for Benchmarking Machine Learning Algorithms", 2017.
  public static let fashionMNIST = Dataset(
    name: "fashion-mnist",
    summary: "pictures of clothes, 28 × 28 grey",
    shape: ImageShape(height: 28, width: 28, channels: 1),
    officialCounts: [.train: 60_000, .test: 10_000],
    classNames: [
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
      "Ankle boot",
    ],
    origin: .files(
      FileOrigin(
        systemFolders: ["/usr/share/datasets/fashion-mnist"],
        subfolders: [
          "raw", "FashionMNIST/raw", "FashionMNIST", "fashion-mnist", "data/fashion", "fashion",
        ],
        instructions: """
          To get it: lathe data get fashion-mnist, or on Debian apt install \
          dataset-fashion-mnist. Or put the four files of \
          https://github.com/zalandoresearch/fashion-mnist into data/fashion-mnist or the folder \
          fashion-mnist below $LATHE_DATA, or name their folder
          """,
        names: IDXPair.names, read: IDXPair.read)))
}
