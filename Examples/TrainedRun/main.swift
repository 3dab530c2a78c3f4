// Encoding and decoding with a run that `lathe train` has made:
//
//   lathe train vae synthetic8 --networks mlp --steps 500 --out runs/vae
//   swift run -c release TrainedRun runs/vae synthetic8

import LatheData
import LatheReports
import LatheTensors
import LatheTraining
import SystemPackage

let arguments = CommandLine.arguments
guard arguments.count == 3, let dataset = DatasetRegistry.standard[arguments[2]] else {
  fatalError("usage: TrainedRun RUN DATASET")
}
let folder = FilePath(arguments[1])
let model = try LoadedModel(run: folder, images: dataset.shape).model

let images = try dataset.load(.test).tensor(0..<2)  // [2, H, W, C] in [0, 1]
let codes = model.encode(images)  // [2, latentSize]
print("codes", codes.shape, codes.values)

// Eight images on the straight line between the two codes.
let weights = Tensor((0..<8).map { Float($0) / 7 }, shape: [8, 1])
let (first, second) = (codes.slice(0..<1, axis: 0), codes.slice(1..<2, axis: 0))
let line = model.decode(first + weights * (second - first))  // [8, H, W, C] in [0, 1]

let shape = dataset.shape
let tiles = Tiles(
  count: 8, height: shape.height, width: shape.width, channels: shape.channels, values: line.values)
let picture = folder.appending("line.png")
try SampleGrid(columns: 8).write(tiles, to: picture)
print("wrote \(picture)")
