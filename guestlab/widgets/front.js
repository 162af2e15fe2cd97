// What the views need in the browser beyond ipywidgets: copying, and saying aloud what has changed.
// Runs as `onload` of the style sheet in each view, so `this` is that <style>. A constant: no text of a lab or from
// the wire is in it, and what it copies it reads as text. Where a page forbids it, the copy buttons stay hidden.
((style) => {
  style.removeAttribute('onload');
  const root = style.closest('.gl-root');
  if (!root || root.classList.contains('gl-scripted')) return;
  root.classList.add('gl-scripted');

  // ipywidgets gives its boxes no roles; a live region must stand there before its words change.
  const ROLES = [
    ['.gl-live', {'aria-live': 'polite', 'aria-atomic': 'true'}],
    ['.gl-scroll', {role: 'log', 'aria-live': 'off', 'aria-label': 'Conversation', tabindex: '0'}],
    ['.gl-heat', {role: 'group', 'aria-label': 'Attempts'}],
    ['.gl-pager .noUi-handle', {'aria-label': 'Page of the log'}],
  ];
  const name = () => {
    for (const [where, given] of ROLES)
      for (const element of root.querySelectorAll(`${where}:not([data-gl])`)) {
        element.dataset.gl = 'named';
        for (const [attribute, value] of Object.entries(given)) element.setAttribute(attribute, value);
      }
  };
  name();
  new MutationObserver(name).observe(root, {childList: true, subtree: true});

  root.addEventListener('click', (event) => {
    const button = event.target.closest('.gl-copy');
    if (!button) return;
    const box = button.closest('.gl-copyable');
    const from = box.querySelector('textarea, pre');
    const told = box.querySelector('.gl-copied');
    const select = () => {
      from.focus();
      if (from.select) from.select();
      else getSelection().selectAllChildren(from);
      told.textContent = 'selected: press Ctrl+C (on a Mac ⌘C)';
    };
    told.textContent = '';
    if (!navigator.clipboard) return select();
    navigator.clipboard.writeText(from.value ?? from.textContent)
      .then(() => { told.textContent = '✓ copied'; }, select);
  });
})(this);
