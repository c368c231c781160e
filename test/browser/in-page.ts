// What tests ask of a page's document, as JavaScript text: the tests themselves are compiled without a browser's types. It runs also where
// the page's own scripts are switched off.
import type { Page } from 'puppeteer-core';

export async function inPage<T>(page: Page, expression: string): Promise<T> {
  return (await page.evaluate(expression)) as T;
}

/** Width of all there is: more than the window's means scrolling sideways. */
export const contentWidth = 'document.documentElement.scrollWidth';

export const bodyBackground = 'getComputedStyle(document.body).backgroundColor';

/** Of each mark on the timeline: whether its middle is within the plot, its size in pixels, and its title. */
export const timelinePoints = `(() => {
  const area = document.querySelector('svg.area').getBoundingClientRect();
  return [...document.querySelectorAll('svg.area .point')].map((point) => {
    const box = point.getBoundingClientRect();
    const x = box.x + box.width / 2, y = box.y + box.height / 2;
    const inside = x >= area.left - 1 && x <= area.right + 1 && y >= area.top - 1 && y <= area.bottom + 1;
    return { inside, size: Math.min(box.width, box.height), title: point.querySelector('title').textContent };
  });
})()`;

/** Of each row of the table, what its cells show. */
export const tableRows = `[...document.querySelectorAll('tbody tr')].map((row) => [...row.children].map((cell) => cell.innerText.trim()))`;

/** Texts whose contrast with what is behind them is below 4.5, as WCAG 2 (AA) counts it. */
export const faintTexts = `(() => {
  const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    if (element === null) return [255, 255, 255];
    const color = parse(getComputedStyle(element).backgroundColor);
    return color[3] === 0 ? behind(element.parentElement) : color;
  };
  return [...document.querySelectorAll('h1, h2, p, strong, span, dt, dd, th, td, li, a')].flatMap((element) => {
    const one = luminance(parse(getComputedStyle(element).color)), two = luminance(behind(element));
    const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    return contrast >= 4.5 ? [] : [element.tagName + ' ' + element.textContent.slice(0, 30) + ': ' + contrast.toFixed(1)];
  });
})()`;
