// Where the viewer can stand: at each cited page of an answer, or at the first page of a document.
// Values only; shows nothing.

// One stop per cited page: {documentId, revision, title, name, citation, pageNumber, boxes, start, end}.
/** @param {Api["CitationBody"][]} citations */
export function stopsOf(citations) {
  const ordered = [...citations].sort((a, b) => a.answer.end - b.answer.end || a.number - b.number);
  return ordered.flatMap((citation) => {
    const pages = citation.source.pages?.length ? citation.source.pages : [{ page_number: null, boxes: [] }];
    return pages.map((page) => ({
      documentId: citation.document_id,
      revision: citation.revision,
      title: citation.title,
      name: citation.document_name,
      citation,
      pageNumber: page.page_number,
      boxes: page.boxes,
      start: citation.source.start,
      end: citation.source.end,
    }));
  });
}

/** @param {Api["DocumentBody"]} doc */
export const stopOf = (doc) => ({
  documentId: doc.id,
  revision: doc.revision.sha256,
  title: doc.name,
  name: doc.name,
  citation: null,
  pageNumber: doc.revision.num_pages ? 1 : null,
  boxes: [],
  start: 0,
  end: 0,
});
