/** A browser, as far as sign-ins go: it follows redirects by hand and keeps cookies, each for its server and path. */
export const browser = (served: Readonly<Record<string, string>>) => {
  const jar = new Map<string, { readonly name: string; readonly value: string; readonly path: string }>();
  const keyOf = (origin: string, name: string): string => `${origin} ${name}`;

  const keep = (origin: string, response: Response): void => {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      const attribute = (wanted: string) =>
        attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
      const expires = attribute('expires');
      const gone = attribute('max-age') === '0' || (expires !== undefined && Date.parse(expires) <= Date.now());
      if (gone) jar.delete(keyOf(origin, name));
      else jar.set(keyOf(origin, name), { name, value, path: attribute('path') ?? '/' });
    }
  };

  /**
   * One request, a POST where it has a body; its answer as it comes, redirects too. `served` says where the servers of
   * public names really are.
   */
  const open = async (
    address: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string,
  ): Promise<Response> => {
    const { origin, pathname, search } = new URL(address);
    const cookies = [...jar]
      .filter(([key, { path }]) => key.startsWith(`${origin} `) && pathname.startsWith(path))
      .map(([, { name, value }]) => `${name}=${value}`)
      .join('; ');
    const response = await fetch(`${served[origin] ?? origin}${pathname}${search}`, {
      redirect: 'manual',
      ...(body === undefined ? {} : { method: 'POST', body }),
      headers: { ...headers, ...(cookies === '' ? {} : { cookie: cookies }) },
    });
    keep(origin, response);
    return response;
  };

  /** Goes on while it is redirected, until `stop` says of an address that it is not to be opened; that address. */
  const follow = async (
    address: string,
    stop: (url: URL) => boolean,
    change: (url: URL) => URL = (url) => url,
  ): Promise<URL> => {
    let url = change(new URL(address));
    for (let hops = 0; hops < 20; hops += 1) {
      if (stop(url)) return url;
      const response = await open(url.href);
      const location = response.headers.get('location');
      if (location === null) throw new Error(`${url.href} answered ${response.status}: ${await response.text()}`);
      url = change(new URL(location, url));
    }
    throw new Error('Too many redirects');
  };
  return { open, follow, cookies: () => [...jar.values()] };
};
