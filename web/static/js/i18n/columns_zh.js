// 中文：台账的列、表单的标签。

export const columnsZh = {
  columns_title: "{name} 的列",
  columns_intro: "表格的每一列、表单的每个标签代表什么。更改对此知识库的所有文档有效；事实会在后台重新提取。",
  columns_none: "此文档没有可作台账读取的表格，也没有表单标签。",
  columns_rows: "{count} 行",
  columns_saved: "已更改 {count} 列；正在重新提取事实",
  column: "列或标签",
  column_stands_for: "代表",
  column_field_of: "{name} 代表什么",
  column_as_read: "按列名和内容判断",
  column_read_as: "{field}（自动判断）",
  column_above: "同上表",
  column_by_name: "根据列名",
  column_by_values: "根据内容",
  column_by_meaning: "根据列名的含义",
  column_by_person: "由人设定",
  column_by_nothing: "未能识别：保留原列名",
  document_columns: "{name} 的列",
  field_clock: "时刻",
  field_casualties: "伤亡",
  field_column: "原列名",
};
