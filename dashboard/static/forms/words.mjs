// The renderer's own words.  It runs on the desk, the phone and /h, so it brings them along.

/** @type {Record<string, Record<string, string>>} */
const WORDS = {
  zh: {
    required: "必填", "error.required": "请填写", "error.constraint": "填写的内容不符合要求", "error.not-offered": "请从所列选项中选择",
    "error.not-a-number": "请填写数字", "error.not-integer": "请填写整数", "error.not-a-date": "请填写有效的日期或时间",
    "error.not-a-choice": "请选择", "error.not-a-text": "请填写文字", "error.not-a-point": "请填写纬度和经度", "error.not-a-file": "请选择文件",
    "error.not-a-value": "无法识别的内容", "error.too-long": "文字太长", "error.too-many-rows": "行数太多", "error.not-a-list": "无法识别的内容",
    "error.unknown-field": "表单没有这一项", "error.other": "请检查这一项",
    submit: "提交", sending: "正在提交…", add: "添加一项", remove: "删除", removeSure: "再按一次确认删除", row: "第 {n} 项", rows: "共 {n} 项",
    choose: "请选择", none: "不选", errors: "有 {n} 处需要修改", restored: "已恢复未提交的草稿（{when}）", discard: "不用草稿", kept: "草稿已保存在本机",
    locate: "获取当前位置", locating: "正在定位…", latitude: "纬度", longitude: "经度", accuracy: "精度约 {n} 米", noLocation: "无法定位，请手工填写",
    photo: "拍照或选择图片", file: "选择文件", uploading: "正在上传…", uploadFailed: "上传失败：{why}", uploaded: "已上传", scan: "扫码", noScan: "本设备不能扫码，请手工输入",
    search: "输入文字查找", noMatch: "没有找到", searchFailed: "查找失败", clear: "清除", sign: "请在框内签名", signDone: "确认签名", up: "上移", down: "下移",
    acknowledge: "我已知悉", empty: "此表没有要填写的内容", computed: "自动计算", failed: "提交失败：{why}", smaller: "缩小文字", larger: "放大文字",
  },
  en: {
    required: "required", "error.required": "Please answer", "error.constraint": "This does not meet the condition", "error.not-offered": "Choose one of the options shown",
    "error.not-a-number": "Enter a number", "error.not-integer": "Enter a whole number", "error.not-a-date": "Enter a valid date or time",
    "error.not-a-choice": "Choose", "error.not-a-text": "Enter text", "error.not-a-point": "Enter latitude and longitude", "error.not-a-file": "Choose a file",
    "error.not-a-value": "This cannot be read", "error.too-long": "The text is too long", "error.too-many-rows": "There are too many rows", "error.not-a-list": "This cannot be read",
    "error.unknown-field": "The form does not ask this", "error.other": "Please check this",
    submit: "Submit", sending: "Sending…", add: "Add one", remove: "Remove", removeSure: "Press again to remove", row: "No. {n}", rows: "{n} in all",
    choose: "Choose", none: "None", errors: "{n} answers need a look", restored: "Your unsent draft is back ({when})", discard: "Do without it", kept: "Draft kept on this device",
    locate: "Use my position", locating: "Locating…", latitude: "Latitude", longitude: "Longitude", accuracy: "accurate to about {n} m", noLocation: "No position: enter it by hand",
    photo: "Take or choose a picture", file: "Choose a file", uploading: "Uploading…", uploadFailed: "Upload failed: {why}", uploaded: "Uploaded", scan: "Scan", noScan: "This device cannot scan: type the code",
    search: "Type to search", noMatch: "Nothing found", searchFailed: "The search failed", clear: "Clear", sign: "Sign in the box", signDone: "Use this signature", up: "Move up", down: "Move down",
    acknowledge: "I have read this", empty: "This form asks nothing", computed: "computed", failed: "Not sent: {why}", smaller: "Smaller text", larger: "Larger text",
  },
};

/**
 * @param {string} language
 * @returns {(key: string, values?: Record<string, string|number>) => string}
 */
export function wordsOf(language) {
  const words = WORDS[language] ?? WORDS.en;
  return (key, values = {}) => (words[key] ?? WORDS.en[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** The keys of every language, for the test that compares them. */
export const wordKeys = () => Object.fromEntries(Object.entries(WORDS).map(([language, words]) => [language, Object.keys(words).sort()]));
