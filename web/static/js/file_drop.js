// Files from pickers, drops and whole folders, as [{file, name}]. `name` is what the service will
// call the document. Knows the browser's file objects; sends nothing.

const LITTER = new Set([".ds_store", "thumbs.db", "desktop.ini"]);

// Reads dropped items; must be called inside the drop event, because the browser empties
// `dataTransfer` when the event is over.
export async function droppedFiles(dataTransfer) {
  const entries = [...dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return named([...dataTransfer.files].map((file) => ({ file, path: file.name })));
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return named(found);
}

export function pickedFiles(fileList) {
  return named([...fileList].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
}

async function walk(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, path: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // readEntries answers in portions (100 in Chromium) until an empty one.
    const portion = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!portion.length) return;
    for (const child of portion) await walk(child, found);
  }
}

// A document is known by its name, so two files of one folder must not share one: those that do are
// named by their whole path ("2024 - march - report.pdf"), always the same way.
export function named(found) {
  const kept = found.filter(({ file }) => !LITTER.has(file.name.toLowerCase()));
  const counts = new Map();
  for (const { file } of kept) counts.set(file.name, (counts.get(file.name) ?? 0) + 1);
  return kept.map(({ file, path }) => ({
    file,
    name: counts.get(file.name) > 1 ? path.split("/").join(" - ") : file.name,
  }));
}

// Calls `onFiles(promise of entries)` for drops anywhere on the page while `isOpen()`; otherwise the
// browser tells that nothing may be dropped. Shows `overlay` meanwhile.
export function acceptDrops(overlay, isOpen, onFiles) {
  let depth = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const leave = () => {
    depth = 0;
    overlay.hidden = true;
  };
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event) || !isOpen()) return;
    depth += 1;
    overlay.hidden = false;
  });
  addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (!depth) leave();
  });
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    if (!isOpen()) event.dataTransfer.dropEffect = "none";
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    leave();
    if (isOpen()) onFiles(droppedFiles(event.dataTransfer));
  });
}
