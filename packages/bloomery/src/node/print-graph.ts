/** Which controllers read and write what. */
export function printGraph(form: 'text' | 'dot'): string {
  return form;
}
