import Foundation
import Glibc
import TestSupport
import Testing

/// Who may write a run's folder, and what of it is believed.
@Suite(.serialized) struct RunFolderTests {
  private static let tiny =
    "--batch 16 --networks mlp --set hiddenSize=8 --set latentSize=2 --stall-timeout 0"

  /// Runs a script in a folder of its own; `$L` is lathe, `$T` trains a tiny model. Both are words
  /// without the program's path, which may have blanks.
  private func bash(_ script: String, timeout: Double = 90) throws -> ProcessResult {
    var result: ProcessResult?
    let programs = URL(fileURLWithPath: try builtExecutable("lathe")).deletingLastPathComponent()
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    try withFolder { folder in
      result = try oneJobAtATime {
        try runProcess(
          "bash", ["-c", "cd '\(folder)'; \(script)"],
          environment: [
            "PATH": "\(programs.path):\(path)", "L": "lathe", "LATHE_CACHE": "\(folder)/cache",
            "T": "lathe train vae synthetic \(Self.tiny)",
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
          ], timeout: timeout)
      }
    }
    return try #require(result)
  }

  @Test func startsAtOneMomentGetFoldersOfTheirOwn() throws {
    let result = try bash(
      """
      for i in 1 2 3; do $T --steps 2 --seed $i >/dev/null & done; wait
      ls runs; grep -h '^seed' runs/*/config.yml | sort -u
      """)
    #expect(
      result.output == """
        vae-synthetic
        vae-synthetic-2
        vae-synthetic-3
        seed: 1
        seed: 2
        seed: 3

        """, "\(result)")
  }

  /// Two ranks are one writer; another job is refused while they are there, not after a kill.
  @Test func aRunHasOneWriter() throws {
    let result = try bash(
      """
      job="\(mpirunCommand(2))"
      $job $T --steps 1000000 --checkpoint-every 1 --out a >first.log 2>&1 & first=$!
      for i in $(seq 300); do ls a/checkpoints/step-* >/dev/null 2>&1 && break; sleep 0.1; done
      read host pid rest <a/.lock
      for ranks in 1 2; do
        \(mpirunCommand("$ranks")) $T --steps 1000001 --out a --resume 2>&1 \
          | grep "process $pid on $host" | sort -u | cut -c1-52
        echo "status ${PIPESTATUS[0]}"
      done
      kill -9 $pid; wait $first
      last=$(ls a/checkpoints | tail -n 1); last=$((10#${last#step-}))
      $T --steps $((last + 2)) --out a --resume 2>&1 | grep -c "process $pid on $host did not end"
      echo "status ${PIPESTATUS[0]}"; stat -c %s a/.lock
      ls -A a a/checkpoints | grep -c '\\.tmp$'
      grep -c '"event":"resumed"' a/metrics.jsonl
      """)
    let refusal = "lathe: run: expected no other process that writes it"
    let refused = "\(refusal)\nstatus 73\n"
    #expect(result.output == "\(refused)\(refused)1\nstatus 0\n0\n0\n1\n", "\(result)")
  }

  private static let pictures = """
    mkdir one two; for i in $(seq 1 40); do
      [ $i -gt 1 ] || { $L data show synthetic --count 16 --out one/1.png
        $L data show synthetic --count 9 --out two/1.png; } >/dev/null
      [ $i = 1 ] || { cp one/1.png one/$i.png; cp two/1.png two/$i.png; }
    done; cp -r one same
    F="$L train vae folder --size 16 \(tiny) --out a"
    $F --data one --steps 2 >/dev/null 2>&1

    """

  @Test func otherTrainingImagesAreRefusedUnlessTheyAreMeant() throws {
    let result = try bash(
      Self.pictures + """
        $F --data two --steps 4 --resume >log 2>&1; echo "status $?"
        grep -o 'training images: expected those of a/checkpoints/step-000002, 36 images' log
        $F --data same --steps 4 --resume >log 2>&1; echo "status $?"
        $F --data two --steps 6 --resume --allow-other-data >log 2>&1; echo "status $?"
        grep -c 'the run goes on with other training images: 36 images' log
        """)
    #expect(
      result.output == """
        status 65
        training images: expected those of a/checkpoints/step-000002, 36 images
        status 0
        status 0
        1

        """, "\(result)")
  }

  /// What a run of another user says is no reason to read somewhere; needs root to make one.
  @Test(.enabled(if: geteuid() == 0)) func anotherUsersRunDoesNotSayWhatIsRead() throws {
    let result = try bash(
      Self.pictures + """
        chown -R 65534 a; rm -f a/samples/reconstructions*
        $L reconstruct a --count 2 >log 2>&1; echo "status $?"
        grep -c "another user's: its data in $PWD/one is read only if --data says so" log
        ls a/samples | grep -c reconstructions
        $F --steps 4 --resume >log 2>&1; echo "status $?"; grep -c 'say --data' log
        $L reconstruct a --count 2 --data one >log 2>&1; echo "status $?"
        """)
    #expect(result.output == "status 66\n1\n0\nstatus 66\n1\nstatus 0\n", "\(result)")
  }

  /// A run that cannot be written to; root may write anywhere, so another user looks at it, with a
  /// copy of the program, which may lie where only root can read.
  @Test(.enabled(if: geteuid() == 0)) func aRunThatCannotBeWrittenToIsLookedAt() throws {
    let result = try bash(
      """
      chmod 755 .; mkdir out; chmod 777 out
      u='setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/tmp'
      cp "$(command -v lathe)" lathe; L=$PWD/lathe
      $u $L --version >log 2>&1 || { echo skipped; exit; }
      $L train rae synthetic \(Self.tiny) --steps 2 --out a >/dev/null 2>&1
      rm -f a/checkpoints/step-*/sampler-*; chmod -R a+rX,a-w a
      $u $L evaluate a --metrics error --samples 10 --out out/e.json >log 2>&1; echo "status $?"
      $u $L sample a --count 4 --out out/s.png >log 2>&1; echo "status $?"
      grep -c 'the fitted sampler is not kept' log
      $u $L reconstruct a --count 4 --out out/r.png >log 2>&1; echo "status $?"
      $u $L interpolate a --rows 1 --out out/i.png >log 2>&1; echo "status $?"
      $u $L latent a --count 0 --out out/l.svg >log 2>&1; echo "status $?"
      ls out
      """)
    if result.output == "skipped\n" {
      print("skipped: another user cannot read Swift's libraries here")
      return
    }
    #expect(
      result.output == """
        status 0
        status 0
        1
        status 0
        status 0
        status 0
        e.json
        i.png
        l-covariance.svg
        r.png
        s.png

        """, "\(result)")
  }

  @Test func aPackOfAnotherSizeIsNamedWithBoth() throws {
    let result = try bash(
      Self.pictures + """
        $L data pack folder --data one --size 8 --out p.pack >/dev/null 2>&1
        $L reconstruct a --data p.pack --count 2 2>&1; echo "status $?"
        """)
    #expect(result.output.contains("16 × 16 × 3"), "\(result)")
    #expect(result.output.contains("8 × 8 × 3") && result.output.hasSuffix("status 65\n"))
  }

  /// `--steps` of a resumed run that is already further, and a folder without a name.
  @Test func whatCannotBeMeantIsSaid() throws {
    let result = try bash(
      """
      $T --steps 3 --out a >/dev/null 2>&1
      $T --steps 2 --out a --resume 2>&1 | grep 'more than'
      $T --steps 2 --out '' 2>&1 | head -n 1
      """)
    #expect(
      result.output == """
        lathe: the run has made 3 steps, more than the 2 asked for
        lathe: --out: expected the name of a folder, found nothing

        """, "\(result)")
  }

  /// A run from elsewhere may have a link in place of its folder of pictures.
  @Test func picturesStayInTheRunsFolder() throws {
    let result = try bash(
      """
      $T --steps 1 --out a >/dev/null 2>&1
      mkdir away; rm -r a/samples; ln -s ../away a/samples
      $L sample a --count 1 2>&1; echo "status $?"
      $T --steps 2 --out a --resume 2>&1 | tail -n 1; echo "status ${PIPESTATUS[0]}"
      ls away; mkdir here; $L sample a --count 1 --out here >/dev/null; ls here
      """)
    let refusal = "lathe: a/samples: expected a folder, found a link; say --out"
    let resumed = "lathe: expected a folder, found a link in a/samples"
    #expect(
      result.output == """
        \(refusal)
        status 73
        \(resumed)
        status 73
        000000.png

        """, "\(result)")
  }

  /// A signal of a crash that another process sends ends the run like a crash.
  @Test(arguments: [("SEGV", 139), ("ILL", 132), ("ABRT", 134)])
  func crashSignalsFromOutsideEndTheRun(_ signal: String, _ status: Int) throws {
    let result = try bash(
      """
      $T --steps 100000000 --checkpoint-every 0 --preview-every 0 --out a >log 2>&1 & p=$!
      for i in {1..300}; do grep -q 'step 1/' log && break; sleep 0.1; done
      kill -\(signal) $p; wait $p; echo "status $?"
      """, timeout: 60)
    #expect(result.output == "status \(status)\n", "\(result)")
  }

  /// What a recipe of somebody else's says reaches the terminal as text.
  @Test func controlCharactersAreShown() throws {
    let result = try bash(
      """
      printf 'dataset: "\\\\e[2Jsynthetic"\nmodel: vae\n' >r.yml
      $L train --recipe r.yml 2>&1 | head -n 1 | cut -c1-50
      """)
    #expect(result.output.contains("\\u{1b}[2Jsynthetic"), "\(result)")
    #expect(!result.output.contains("\u{1b}"))
  }

  /// Numbers of any size: a run, or a message. 132 and 133 are traps.
  @Test func numbersOfAnySize() throws {
    let m = "9223372036854775807"
    let result = try bash(
      """
      t() { "$@" >log 2>&1; echo "$? ${@: -2}"; }
      t $T --steps 1 --out a --checkpoint-every \(m); t $T --steps 1 --out b --preview-every \(m)
      t $T --steps 1 --out c --log-every \(m); t $T --steps 1 --out d --keep \(m)
      t $T --out e --epochs \(m); t $T --out e --threads \(m); t $T --out e --batch \(m)
      t $T --out e --seed 18446744073709551615; t $T --out e --set latentSize=1000000000
      t $T --out e --set latentSize=\(m)
      t $T --out e --set latentSize=1000000 --set hiddenSize=1000000
      t $T --out e --stall-timeout 1e300; t $T --out e --evaluate-every 1 --validation \(m)
      t $L reconstruct a --first \(m); t $L interpolate a --first \(m)
      t $L sample a --seed 18446744073709551615; t $L evaluate a --samples \(m)
      t $L sample a --threads \(m); t $L sample a --step \(m)
      """)
    let statuses = result.output.split(separator: "\n").map { Int($0.split(separator: " ")[0]) }
    #expect(statuses.count == 19 && statuses.prefix(4).allSatisfy { $0 == 0 }, "\(result)")
    #expect(statuses.allSatisfy { [0, 64, 65, 66].contains($0) }, "\(result)")
  }
}
