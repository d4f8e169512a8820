// The page: takes files and keys, and shows verdicts. It builds every element by hand from text, so that no file can put
// anything into the page but words.

import { type Verdict, verifyFiles } from './verify.ts'

const drop = element('drop', HTMLLabelElement)
const picker = element('files', HTMLInputElement)
const chosen = element('chosen', HTMLUListElement)
const trust = element('trust', HTMLTextAreaElement)
const verify = element('verify', HTMLButtonElement)
const clear = element('clear', HTMLButtonElement)
const progress = element('progress', HTMLProgressElement)
const verdicts = element('verdicts', HTMLDivElement)

let files: readonly File[] = []

function choose(more: readonly File[]): void {
  // What is dropped again replaces what had its name.
  const kept = files.filter(({ name }) => more.every((file) => file.name !== name))
  files = [...kept, ...more]
  chosen.replaceChildren(
    ...files.map(({ name, size }) => made('li', `${name} (${size.toLocaleString('en')} bytes)`)),
  )
  verify.disabled = files.length === 0
}

async function judge(): Promise<void> {
  const [given, trusted] = [files, trust.value]
  verify.disabled = true
  progress.hidden = false
  progress.value = 0
  verdicts.replaceChildren(made('p', 'Reading…'))
  try {
    const found = await verifyFiles(given, trusted, show)
    // Whoever has started over meanwhile has no use for it.
    if (given === files) verdicts.replaceChildren(...found.map(shown))
  } catch (error) {
    // Neither a verdict nor the reader's fault: such as a file that went away while it was read.
    verdicts.replaceChildren(made('p', `The files could not be read: ${String(error)}`))
  } finally {
    progress.hidden = true
    verify.disabled = files.length === 0
  }
}

let shownAt = 0

// Lets the page be drawn and used, a few times a second.
async function show(read: number, of: number): Promise<void> {
  if (performance.now() - shownAt < 100) return
  progress.value = read / of
  await new Promise((resolve) => {
    setTimeout(resolve)
  })
  shownAt = performance.now()
}

function shown({ state, headline, facts, notes }: Verdict): HTMLElement {
  const article = made('article')
  article.className = `verdict ${state}`
  const list = made('dl')
  for (const [name, value] of facts) list.append(made('dt', name), made('dd', value))
  article.append(made('h3', `${signs[state]} ${headline}`), ...(facts.length === 0 ? [] : [list]))
  article.append(...notes.map((note) => made('p', note)))
  return article
}

const signs = { proved: '✓', unsigned: '⚠', refused: '✗' } as const

function startOver(): void {
  files = []
  picker.value = ''
  chosen.replaceChildren()
  verify.disabled = true
  verdicts.replaceChildren(made('p', 'None yet.'))
}

picker.addEventListener('change', () => choose([...(picker.files ?? [])]))
verify.addEventListener('click', () => void judge())
clear.addEventListener('click', startOver)
// Anywhere on the page: a file that is dropped beside the field must not be opened in its place.
document.addEventListener('dragover', (event) => {
  event.preventDefault()
  drop.classList.add('over')
})
document.addEventListener('dragleave', () => drop.classList.remove('over'))
document.addEventListener('drop', (event) => {
  event.preventDefault()
  drop.classList.remove('over')
  choose([...(event.dataTransfer?.files ?? [])])
})

function element<E extends HTMLElement>(id: string, kind: new () => E): E {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`)
  return found
}

function made<K extends keyof HTMLElementTagNameMap>(name: K, text = ''): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  made.textContent = text
  return made
}
