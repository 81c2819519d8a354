// The page's own words in both languages.

/** @type {Record<string, Record<string, string>>} */
export const WORDS = {
  zh: {
    title: "一网统管 · 市民入口", elder: "大字版", plain: "标准版", other: "English", back: "返回首页", home: "首页",
    report: "上报问题", "report.hint": "道路积水、占用消防通道等，可拍照定位", help: "请人帮办", "help.hint": "老人、行动不便者，由社区和网格员上门",
    complaint: "投诉建议", "complaint.hint": "对部门或工作人员的投诉、建议、咨询", guides: "办事指南", "guides.hint": "要什么材料、几天办好、到哪里办",
    progress: "查询进度", "progress.hint": "凭查询码看办到哪一步，办结后评价", code: "查询码", look: "查询", looking: "正在查询…",
    sent: "已收到", keep: "请记下查询码（可截图）。凭它查询进度和评价，不要给陌生人。", seeProgress: "查看进度", again: "再办一件",
    send: "提交", checking: "正在核验…", confirmPhone: "确认手机号", codeTo: "我们会向 {phone} 发送验证码", sendCode: "发送验证码", digits: "短信中的 6 位验证码", confirm: "确认",
    wrongDigits: "验证码不对，还可以试 {n} 次", deadDigits: "验证码已失效，请重新获取", confirmed: "手机号已确认", noCode: "没有这个查询码，请核对",
    state: "现在", received: "已收到，正在登记", refused: "没有受理", department: "承办单位", number: "编号", opened: "收到时间", told: "答复", steps: "办理过程", finished: "已办结",
    rate: "评价", rated: "您的评价：{n} 星", thanks: "感谢您的评价", tooFast: "操作太频繁，请 {n} 秒后再试", closed: "服务暂时不可用，您填写的内容还在，请稍后再提交", robots: "核验未通过，请再试一次",
    failed: "没有成功：{why}", hotline: "也可以拨打 {n}", privacy: "个人信息加密保存，只供办理人员查看，办结 {n} 天后删除。", search: "输入事项名称", noGuides: "暂时没有发布的指南", none: "没有找到",
    "p.phone_not_confirmed": "手机号没有确认", "p.no_text_messages": "暂时不能发送短信", "p.too_many_codes": "这个号码今天收到的验证码太多", "p.answers_invalid": "填写的内容不符合要求", "p.failed": "系统没有处理成功，请重新提交",
    emergency: "有生命危险请先拨打 110、119、120。", name: "称呼", phone: "电话",
    inspector: "检查人员", place: "地点", matter: "事由", until: "有效期至", realInspector: "核验通过：此人是下列单位派出的工作人员", asked: "请您补充",
    "p.rated_already": "已经评价过了", "p.not_to_be_rated": "现在不能评价", "p.not_asked": "现在不需要补充",
    bundles: "一件事", "bundle.items": "{n} 个事项一次办", "bundle.after": "在{names}之后", "bundle.saves": "{q} 个问题（分开办 {asked} 个），{p} 份材料（分开办 {wanted} 份）", "bundle.of": "包含事项", "bundle.made": "不用提交（办理中产生）：{names}", "bundle.questions": "要填写的内容", "bundle.part": "可与其他事项一次办",
    dept_name: "实施主体", project_type: "办件类型", promise: "承诺时限", anticipate: "法定时限", accept_condition: "受理条件", handle_flow: "办理流程", is_fee: "是否收费", fee_basis: "收费依据", handle_addr: "办理地点", handle_time: "办理时间", link_tel: "咨询电话", complain_tel: "监督电话", limit_scene_num: "到现场次数", materials: "材料", yes: "是", no: "否",
  },
  en: {
    title: "Yiwang · for everybody", elder: "Large text", plain: "Standard", other: "中文", back: "Back to the start", home: "Start",
    report: "Report a problem", "report.hint": "Water on the road, a blocked fire lane …, with photo and place", help: "Ask for help", "help.hint": "For the aged and those who cannot come: the community visits",
    complaint: "Complain or suggest", "complaint.hint": "About a department or its staff, ideas, questions", guides: "How to apply", "guides.hint": "Which papers, how many days, where",
    progress: "Follow up", "progress.hint": "See where it stands by your code, rate it at the end", code: "Your code", look: "Look up", looking: "Looking …",
    sent: "Received", keep: "Note this code (a screenshot will do). It shows the progress and lets you rate; give it to nobody you do not know.", seeProgress: "See the progress", again: "Another one",
    send: "Send", checking: "Checking …", confirmPhone: "Confirm your number", codeTo: "We send a code to {phone}", sendCode: "Send the code", digits: "The six digits of the message", confirm: "Confirm",
    wrongDigits: "Not the right code; {n} tries left", deadDigits: "The code is no longer valid: ask for another", confirmed: "Your number is confirmed", noCode: "There is no such code: please compare",
    state: "Now", received: "Received, being registered", refused: "Not taken", department: "Handled by", number: "Number", opened: "Received on", told: "Answer", steps: "Course", finished: "Done",
    rate: "Rate", rated: "Your rating: {n} stars", thanks: "Thank you for rating", tooFast: "Too often: try again in {n} seconds", closed: "The service is away; what you wrote is still here, send it again later", robots: "The check failed, please try again",
    failed: "It did not work: {why}", hotline: "You may also call {n}", privacy: "Personal data is encrypted, seen only by those who handle it, and deleted {n} days after the end.", search: "Name of the item", noGuides: "No guides are published yet", none: "Nothing found",
    "p.phone_not_confirmed": "the number is not confirmed", "p.no_text_messages": "no text messages can be sent now", "p.too_many_codes": "too many codes were sent to this number today", "p.answers_invalid": "the answers do not fit", "p.failed": "it could not be handled: please send it again",
    emergency: "In danger of life call 110, 119 or 120 first.", name: "Name", phone: "Telephone",
    inspector: "Inspector", place: "Place", matter: "Matter", until: "Valid until", realInspector: "Genuine: this person was sent by the office below", asked: "We need something from you",
    "p.rated_already": "it was rated already", "p.not_to_be_rated": "it cannot be rated now", "p.not_asked": "nothing is asked now",
    bundles: "Life events", "bundle.items": "{n} items at once", "bundle.after": "after {names}", "bundle.saves": "{q} questions (apart: {asked}), {p} papers (apart: {wanted})", "bundle.of": "Items", "bundle.made": "Not needed (made on the way): {names}", "bundle.questions": "What is asked", "bundle.part": "Can be done together with other items",
    dept_name: "Office", project_type: "Kind", promise: "Promised within", anticipate: "Legal limit", accept_condition: "Conditions", handle_flow: "Course", is_fee: "Fee", fee_basis: "Basis of the fee", handle_addr: "Place", handle_time: "Hours", link_tel: "Questions", complain_tel: "Complaints", limit_scene_num: "Visits", materials: "Papers", yes: "yes", no: "no",
  },
};

/** @param {string} language */
export function wordsOf(language) {
  const words = WORDS[language] ?? WORDS.en;
  return (/** @type {string} */ key, /** @type {Record<string, any>} */ values = {}) => (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}
