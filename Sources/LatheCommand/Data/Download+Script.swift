import LatheData

extension Download {
  /// A script for the POSIX shell that fetches the files by curl alone, goes on where it stopped,
  /// and checks them as `run` does.
  package func script(_ title: String) -> String {
    let addresses = mirrors.map { " '\($0.shellQuoted)'" }.joined(separator: " \\\n  ")
    let calls = files.map { "get \($0.name) \($0.size) \($0.digest)" }.joined(separator: "\n")
    return """
      #!/bin/sh
      # \(title)
      # sh SCRIPT [FOLDER]: fetches it into FOLDER, which is --data of "lathe train".
      set -eu
      folder=${1:-'\(folder.string.shellQuoted)'}
      mkdir -p -- "$folder"
      cd -- "$folder"

      is_right() {  # FILE DIGEST: by MD5 if that has 32 digits, else by SHA-256
        case ${#2} in 32) sum=md5sum ;; *) sum=sha256sum ;; esac
        echo "$2  $1" | $sum -c - >/dev/null 2>&1
      }

      get() {  # NAME BYTES DIGEST
        if [ -e "$1" ]; then
          is_right "$1" "$3" && { echo "$1: there"; return; }
          echo "$PWD/$1 is another file: move it away first" >&2; exit 73
        fi
        for base in\(addresses); do
          if [ ! -e "$1.part" ] || [ "$(wc -c <"$1.part")" -lt "$2" ]; then
            curl --fail --location --continue-at - --output "$1.part" "$base$1" || continue
          fi
          if is_right "$1.part" "$3"; then mv -- "$1.part" "$1"; echo "$1: right"; return; fi
          echo "$base$1: not the published file" >&2
          rm -f -- "$1.part"
        done
        echo "$1 could not be fetched; run this again to go on" >&2; exit 69
      }

      \(calls)

      """
  }
}

extension String {
  /// For between apostrophes in a shell's command.
  fileprivate var shellQuoted: String { replacing("'", with: "'\\''") }
}
