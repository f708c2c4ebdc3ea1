// English: columns of ledgers, labels of forms.

export const columnsEn = {
  columns_title: "Columns of {name}",
  columns_intro: "What each column of a table and each label of a form stands for. A change holds for every document of this base; facts are found anew in the background.",
  columns_none: "This document has no table that is read as a ledger, and no labels of a form.",
  columns_rows: "{count} row|{count} rows",
  columns_saved: "{count} column changed; facts are found anew|{count} columns changed; facts are found anew",
  column: "Column or label",
  column_stands_for: "Stands for",
  column_field_of: "What {name} stands for",
  column_as_read: "As its name and values tell",
  column_read_as: "{field} (as read)",
  column_above: "as in the table above",
  column_by_name: "by its name",
  column_by_values: "by its values",
  column_by_meaning: "by what its name means",
  column_by_person: "set by a person",
  column_by_nothing: "not understood: it keeps its own name",
  document_columns: "Columns of {name}",
  field_clock: "Time of day",
  field_casualties: "Casualties",
  field_column: "Its own name",
};
