/** Why a store cannot even be begun, in one line. */

export function unusable(path: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return `${path}: its folder is not there; make it`;
  if (code === "EACCES" || code === "EROFS") {
    return `${path} cannot be written: give the node's user write permission on the file and its directory`;
  }
  return `${path}: ${message}`;
}
